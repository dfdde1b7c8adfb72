"""A capture that is turned as an augmentation equals the capture of the glass turned under the same rig, without noise.

The glass is turned by hand: vertices of the scratch in px of the view, and for a mirrored one its profile and lobe.
"""

from dataclasses import replace

import numpy as np
import pytest

from glassline.data.captures.zone_format import ZoneFormat
from glassline.vision.capture_augment import SPARE_PX, TURNS, possible_turns, turn_capture
from hardware_ingest.dark_field.glass import Glass
from hardware_ingest.dark_field.light import Ground
from hardware_ingest.dark_field.place import Place
from hardware_ingest.dark_field.scatter import Mark, View, flank_lobe, rugged_lobe
from hardware_ingest.dark_field.sensor import MOSAIC
from hardware_ingest.dark_field.settings import Difficulty
from hardware_ingest.dark_field.strokes import Stroke
from hardware_ingest.dark_field.truth import MASK_FROM
from hardware_ingest.devices import AZIMUTHS_DEG

EDGE_PX, PITCH_MM = 98, 0.01
RIG = ZoneFormat(azimuths_deg=AZIMUTHS_DEG, pattern="GRBG", bit_depth=12, pitch_um=10)
DARK = Ground(Difficulty(bulk_rate=0, glare_rate=0), (9.0, 9.0))


class EvenRing:
    """A ring that lights every place alike."""

    def at(self, group, column_K, row_K):
        return np.ones(np.broadcast(column_K, row_K).shape, np.float32)


def triangular(angle_deg):
    share_V = np.linspace(-0.5, 0.5, 40)
    along = np.deg2rad(angle_deg)
    line_V2 = [0.5, 0.45] + 0.6 * np.outer(share_V, [np.cos(along), np.sin(along)])
    grain_V = np.linspace(0.8, 1.2, 40, dtype=np.float32)  # one end is brighter: half a turn shows
    stroke = Stroke(line_V2, 0.03, np.ones(40, np.float32), grain_V, np.zeros(40, np.float32))
    return Mark("scratch", "triangular-straight", stroke, 40.0, flank_lobe(5, 0.05, 0.4))


def rugged(angle_deg):
    mark, rng = triangular(angle_deg), np.random.default_rng(4)
    line_V2 = mark.shape.line_V2 + 0.03 * np.sin(np.linspace(0, 4, 40))[:, None]
    twist_deg_V = np.repeat(rng.normal(0, 8, 5), 8).astype(np.float32)
    ridges = ((-0.3, 0.35, 1.0), (0.25, 0.35, 0.7))
    stroke = replace(mark.shape, line_V2=line_V2, width_mm=0.06, twist_deg_V=twist_deg_V, tracks=ridges)
    return replace(mark, shape=stroke, lobe=rugged_lobe(rng, 0.05))


def turned(mark, turn, shift_px):
    """Return a scratch as it lies once the view of EDGE_PX px was laid by a turn and cut at a shift (y, x)."""
    x_V, y_V = (mark.shape.line_V2 / PITCH_MM).T
    shape, lobe = mark.shape, mark.lobe
    if turn.mirrored:
        x_V = EDGE_PX - 1 - x_V
        tracks = tuple((-offset, share, height) for offset, share, height in shape.tracks)
        shape = replace(shape, tracks=tracks, twist_deg_V=-shape.twist_deg_V)
        # The direction across turns its sign as well: what was seen from d degrees is seen from 180 - d.
        lobe = lobe[(180 - np.arange(360)) % 360]
    for _ in range(turn.quarters):
        x_V, y_V = y_V, EDGE_PX - 1 - x_V
    line_V2 = np.stack([x_V - shift_px[1], y_V - shift_px[0]], axis=1) * PITCH_MM
    return replace(mark, shape=replace(shape, line_V2=line_V2), lobe=lobe)


def capture(mark, edge_px):
    """Return the mosaics of all light states without noise, and the mask."""
    place = Place(Glass((mark,), (9.0, 9.0)), View(0, 0, edge_px, edge_px, 1000 * PITCH_MM), EvenRing(), DARK)
    mosaic_HW = np.tile(MOSAIC, (edge_px // 2, edge_px // 2))
    frames = [np.rint(40 * place.rate((state, state + 6), 0) * mosaic_HW) for state in range(6)]
    mask_HW = np.zeros((edge_px, edge_px), np.bool_)
    drawn = place.seen[0][1]
    mask_HW.ravel()[drawn.index_N] = drawn.extent_N >= MASK_FROM
    return np.asarray(frames, np.uint16), mask_HW


def differences(mark, turn, frames_SHW):
    """Return by how much of the peak frames differ from the capture of the turned scratch, per shift of the cut."""
    shifts = [(y, x) for y in (0, 1) for x in (0, 1)]
    wanted = {shift: capture(turned(mark, turn, shift), EDGE_PX - SPARE_PX)[0] for shift in shifts}
    return {
        shift: np.abs(frames_SHW.astype(float) - wanted_SHW).max() / wanted_SHW.max()
        for shift, wanted_SHW in wanted.items()
    }


@pytest.mark.parametrize("angle_deg", [23, 70, 131])
@pytest.mark.parametrize("scratch", [triangular, rugged])
@pytest.mark.parametrize("turn", TURNS, ids=str)
def test_turned_capture_is_the_capture_of_the_turned_scratch(scratch, turn, angle_deg):
    mark = scratch(angle_deg)
    frames_SHW, mask_HW = turn_capture(*capture(mark, EDGE_PX), turn, RIG)
    apart = differences(mark, turn, frames_SHW)
    shift = min(apart, key=apart.get)
    assert apart[shift] < 0.02
    wanted_HW = capture(turned(mark, turn, shift), EDGE_PX - SPARE_PX)[1]
    assert (mask_HW != wanted_HW).sum() <= 0.02 * wanted_HW.sum()


@pytest.mark.parametrize("turn", [turn for turn in TURNS if turn.quarters % 2 or turn.mirrored], ids=str)
def test_turned_pixels_under_lights_that_stay_are_no_capture_of_any_turned_scratch(turn):
    mark = triangular(23)
    frames_SHW, _ = turn_capture(*capture(mark, EDGE_PX), turn, RIG)
    as_before = np.argsort(turn.states(RIG.azimuths_deg))
    assert min(differences(mark, turn, frames_SHW[as_before]).values()) > 0.3


def test_rig_allows_all_eight_turns():
    assert possible_turns(RIG) == TURNS
