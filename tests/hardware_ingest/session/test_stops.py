from hardware_ingest.session.stops import plan_stops
from hardware_ingest.zones import Zone, full_grid


def test_one_camera_stops_at_every_zone():
    zones = full_grid().zones()
    stops = plan_stops(zones, [(0.0, 0.0)])
    assert [(stop.x_mm, stop.y_mm) for stop in stops] == [(zone.x_mm, zone.y_mm) for zone in zones]


def test_two_cameras_over_two_columns_stop_once_a_row():
    zones = full_grid().zones()
    stops = list(plan_stops(zones, [(0.0, 0.0), (zones[1].x_mm, 0.0)]))
    assert len(stops) == 5
    assert [[(camera, zone.index) for camera, zone in stop.seen] for stop in stops][:2] == [
        [(0, 0), (1, 1)],
        [(0, 2), (1, 3)],
    ]


def test_every_zone_is_seen_once_whatever_the_cameras():
    zones = full_grid().zones()
    stops = plan_stops(zones, [(0.0, 0.0), (7.0, 0.0), (0.0, zones[2].y_mm)])
    assert sorted(zone.index for stop in stops for _, zone in stop.seen) == list(range(10))


def test_a_camera_that_looks_beside_a_zone_does_not_see_it():
    zones = [Zone(0, 0.0, 0.0), Zone(1, 10.0, 0.0)]
    assert len(list(plan_stops(zones, [(0.0, 0.0), (10.2, 0.0)]))) == 2
