import numpy as np
import pytest

from hardware_ingest.dark_field.dataset import GlassSetSettings
from hardware_ingest.dark_field.scatter import Mark
from hardware_ingest.dark_field.sensor import BLACK_DN, Sensor
from hardware_ingest.dark_field.settings import DIFFICULTIES, EXPOSURE_US, difficulty_of
from hardware_ingest.dark_field.signal import background_noise_dn, peak_signal_to_noise

# Nothing but scratches, ten a glass: a quantile needs hundreds.
SCRATCHES_ALONE = {
    "good_share": 0.0, "scratches": 10.0, "dents": 0.0, "molds": 0.0, "folds": 0.0, "dust_per_cm2": 0.0,
    "specks_per_cm2": 0.0, "fibres_per_cm2": 0.0, "stains_per_cm2": 0.0, "fingerprints_per_cm2": 0.0,
}  # fmt: skip


@pytest.fixture
def peaks(monkeypatch):
    """Return a function that measures the scratches of glasses of a preset: peaks("faint", glasses=40)."""

    def peaks(difficulty, glasses):
        alone = difficulty_of(difficulty).model_copy(update=SCRATCHES_ALONE)
        monkeypatch.setitem(DIFFICULTIES, "alone", lambda: alone)
        settings = GlassSetSettings(glasses=glasses, difficulty="alone", seed=77, marked=False)
        scenes = [settings.scene(number, "clean") for number in range(1, glasses + 1)]
        return [one for scene in scenes for one in peak_signal_to_noise(scene)]

    return peaks


def test_faint_hides_the_faintest_quarter_of_scratches_within_three_sigmas(peaks):
    found = peaks("faint", 20)
    assert len(found) > 150
    assert np.quantile(found, 0.25) <= 3 < np.quantile(found, 0.4)


def test_peak_follows_the_contrast_of_the_preset(peaks):
    standard, faint = peaks("standard", 3), peaks("faint", 3)
    np.testing.assert_allclose(faint, np.array(standard) * difficulty_of("faint").contrast, rtol=1e-4)


def test_added_light_of_one_mark_is_what_the_place_shows_of_it(see, flank, line):
    place = see(Mark("scratch", "triangular", line(20.0), 50, flank))
    mark, drawn = place.seen[0]
    shown_HW = place.rate((1, 7), 0.0)
    np.testing.assert_allclose(place.added(mark, drawn, (1, 7)), shown_HW.ravel()[drawn.index_N], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["faint", "unseen"])
def test_background_noise_is_that_of_the_sensor(name):
    difficulty = difficulty_of(name).model_copy(update={"hot_per_mpx": 0.0})
    rate_HW = np.full((400, 400), 2 * difficulty.bulk_rate + difficulty.stray_rate, np.float32)
    frame_HW = Sensor(0, difficulty).read_out(rate_HW, EXPOSURE_US, 0.0, np.random.default_rng(1))
    green_HW = frame_HW[0::2, 0::2].astype(float) - BLACK_DN
    assert np.sqrt(green_HW.var() - 1 / 12) == pytest.approx(background_noise_dn(difficulty), rel=0.03)
