"""Intensity of single points against the azimuth of the light, as in the paper's Fig. 3.

Source: Turko 2021, Fig. 3: the illuminator is turned around the glass in steps of 2 degrees.
Shapes: A azimuths, N pixels of a mark.
"""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from glassline.data.storage import written_whole
from glassline.report.style import PALETTE, new_figure, tidy
from hardware_ingest.dark_field.contaminants import Film, Grain
from hardware_ingest.dark_field.patches import texture
from hardware_ingest.dark_field.scatter import Mark, Real, Rng, View, even_lobe, flank_lobe, rugged_lobe
from hardware_ingest.dark_field.sensor import BLACK_DN, WHITE_DN, Sensor
from hardware_ingest.dark_field.settings import EXPOSURE_US, Difficulty, standard
from hardware_ingest.dark_field.strokes import Stroke

STEP_DEG = 2
AZIMUTHS_DEG = tuple(range(0, 360, STEP_DEG))


def point_curve(mark: Mark, difficulty: Difficulty, rng: Rng) -> Real:
    """Return the grey level (A,) of a mark's brightest point while one pair of LED groups turns around it.

    Args:
        mark: A mark within a millimetre of (1, 1) mm.
        difficulty: Optics and sensor.
        rng: Source of the noise.
    """
    drawn = mark.shape.draw(View(0, 0, 200, 200, difficulty.pitch_um, difficulty.blur_px))
    brightest = int(np.argmax(drawn.level_N))
    normal_deg = round(float(drawn.normal_deg_N[brightest]))
    pairs = [mark.lobe[(deg - normal_deg) % 360] + mark.lobe[(deg + 180 - normal_deg) % 360] for deg in AZIMUTHS_DEG]
    rate_A = mark.rate * float(drawn.level_N[brightest]) * np.array(pairs) + 2 * difficulty.bulk_rate
    # Every second column of an even row is green.
    rate_1A = np.repeat(np.float32(rate_A + difficulty.stray_rate), 2)[None]
    sensor = Sensor(0, difficulty.model_copy(update={"hot_per_mpx": 0.0}))
    return np.asarray(sensor.read_out(rate_1A, EXPOSURE_US, 0.0, rng)[0, ::2], np.float32)


def draw_azimuths(out: Path, seed: int = 0) -> Path:
    """Write the figure: scratches, dust and stains, one panel each.

    Args:
        out: PNG to write.
        seed: Seed of the noise and of the rugged scratch's directions.
    """
    rng = np.random.default_rng(seed)
    figure = new_figure(11.5, 3.4)
    panels = figure.subplots(1, 3, sharey=True)
    for axes, (title, marks) in zip(panels, _examples(rng).items(), strict=True):
        for (name, mark), colour in zip(marks.items(), PALETTE, strict=False):
            axes.plot(AZIMUTHS_DEG, point_curve(mark, standard(), rng), color=colour, linewidth=1.4, label=name)
        _finish(axes, title)
    panels[0].set_ylabel("grey level of 12 bits", fontsize=9.5)
    with written_whole(out) as beside:
        figure.savefig(beside, dpi=130, format="png")
    return out


def _finish(axes: Axes, title: str) -> None:
    tidy(axes, title, "azimuth of the light, degrees", grid="y")
    axes.set_xticks(range(0, 361, 60))
    axes.set_xlim(0, 358)
    axes.set_ylim(0, WHITE_DN * 1.2)
    axes.set_yticks([BLACK_DN, 1000, 2000, 3000, WHITE_DN])
    axes.legend(fontsize=8.5, frameon=False, ncols=2, loc="upper left")


def _examples(rng: Rng) -> dict[str, dict[str, Mark]]:
    speck, film = Grain(1.0, 1.0, ((0.0, 0.0, 0.02),)), Film(1.0, 1.0, 0.8, 1.2, 30.0, 0.6, texture(rng, 48))
    return {
        "scratch": {
            "triangular profile": Mark("scratch", "triangular", _line(35.0), 150, flank_lobe(5, 0.05, 0.3)),
            "rugged profile": Mark("scratch", "rugged", _line(110.0), 90, rugged_lobe(rng, 0.06)),
        },
        "dust": {
            "large grain": Mark("dust", "grain", speck, 1500, even_lobe(0.08)),
            "small grain": Mark("dust", "grain", speck, 130, even_lobe(0.08)),
        },
        "stain": {
            "thick": Mark("stain", "drop", film, 350, even_lobe(0.1)),
            "thin": Mark("stain", "drop", film, 60, even_lobe(0.1)),
        },
    }


def _line(across_deg: float) -> Stroke:
    """Return a straight scratch through (1, 1) mm that scatters most when lit from an azimuth."""
    along = np.deg2rad(across_deg - 90)
    share_V = np.linspace(-0.5, 0.5, 21)
    line_V2 = np.array([1.0, 1.0]) + np.outer(share_V, [np.cos(along), np.sin(along)])
    even_V = np.ones(21, np.float32)
    return Stroke(line_V2, 0.03, even_V, even_V, np.zeros(21, np.float32))
