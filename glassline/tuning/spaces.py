"""Which settings of each method are searched, over which range, and where the range comes from. Plain data.

Settings are named as in `--set`: those of classifiers are fields of `TrainingSettings`, of segmentation networks of
`SegmentationSettings`, of the severity detector of `RegressionSettings`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from glassline.models.settings import NETWORK_NAMES

Value = str | int | float | bool


@dataclass(frozen=True)
class Axis:
    """A setting that is searched.

    Attributes:
        setting: Its dotted name.
        source: Where the range comes from.
        choices: What it may be; empty for a range of numbers.
        low: Least number of a range.
        high: Greatest number of it.
        log: Whether its logarithm is even over the range.
    """

    setting: str
    source: str
    choices: tuple[Value, ...] = ()
    low: float = 0.0
    high: float = 0.0
    log: bool = False

    @property
    def told(self) -> str:
        """The range as a reader takes it."""
        if self.choices:
            return ", ".join(str(choice) for choice in self.choices)
        return f"{self.low:g} to {self.high:g}{', logarithmic' if self.log else ''}"


_OURS = "ours: around the default"
_DATA = "ours: few and imbalanced data"
_SYSTEM_A = "system A, Fig. 3 names the axis"

#: The name of the severity detector; the other methods are named as in `glassline models`.
SEVERITY = "severity"

_DESCENT = (
    Axis("learning_rate", _OURS, low=1e-4, high=1e-2, log=True),
    Axis("weight_decay", _OURS, low=1e-6, high=1e-2, log=True),
    Axis("batch_size", _OURS, choices=(16, 32, 64, 128)),
)
_WEIGHTS = (Axis("class_weights", _DATA, choices=("none", "root", "balanced")),)

#: The axes of system A's Fig. 3. Its text gives 32 filters, and kernels and pools of 1 x 2; what it chose is 16, 2 x 2
#: and 3 x 3. Its caption tells no more, so the other values are ours.
CNN_GRID = (
    Axis("cnn.filters", f"{_SYSTEM_A}; 32 in its text, 16 chosen", choices=(8, 16, 32)),
    Axis("cnn.kernel_px", f"{_SYSTEM_A}; 3 or 2 chosen, by reading", choices=(2, 3, 5)),
    Axis("cnn.pool_px", f"{_SYSTEM_A}; 2 or 3 chosen, by reading", choices=(2, 3)),
    Axis("cnn.depth", f"{_SYSTEM_A}; 2 in its text", choices=(1, 2, 3)),
)

_DISTANCES = (
    Axis("metric.mining", "system B, section 3.2 draws at random; the others are ours",
         choices=("batch_random", "semi_hard", "hard")),
    Axis("embedding.width", _OURS, choices=(16, 32, 64, 128)),
    Axis("embedding.dropout", _DATA, low=0.0, high=0.5),
    Axis("embedding.head", "ours: how classes are read from distances", choices=("knn", "centroid", "linear")),
)  # fmt: skip
_MARGIN = (
    Axis("metric.margin", "system B, eq. 4 (alpha, no value printed)", low=0.1, high=1.0),
    Axis("metric.squared", "system B, eq. 4: both readings of its exponent", choices=(False, True)),
)

_TRANSFER = (
    Axis("sgd.learning_rate", "ours: around 0.01; system D, section 3.1 names the setting", low=1e-3, high=5e-2,
         log=True),
    Axis("sgd.momentum", "ours: around 0.9; system D, section 3.1 names momentum", low=0.8, high=0.98),
    Axis("weight_decay", _OURS, low=1e-6, high=1e-2, log=True),
)  # fmt: skip

_SEGMENTER = (
    Axis("learning_rate", "system C, section 5.6 uses 1e-4; ours: up to 3e-3 for narrower networks", low=3e-5,
         high=3e-3, log=True),
    Axis("scratch_share", "system C, section 5.5: one patch a batch, or 15 % at least", low=0.0, high=0.5),
    Axis("schedule", "system C has a constant one; the other is ours", choices=("constant", "one-cycle")),
)  # fmt: skip

_SEVERITY = (
    Axis("learning_rate", _OURS, low=3e-4, high=1e-2, log=True),
    Axis("weight_decay", _OURS, low=1e-6, high=1e-2, log=True),
    Axis("defect_share", "ours: system E, section III.B.1 shifts crops around defects", low=0.3, high=0.9),
)

#: Settings that are searched, by method.
SPACES: Mapping[str, tuple[Axis, ...]] = {
    "mlp": _DESCENT + _WEIGHTS,
    "cnn": CNN_GRID + _DESCENT + _WEIGHTS,
    "metadata": _DESCENT + _WEIGHTS,
    **{f"ensemble_{kind}": CNN_GRID + _DESCENT + _WEIGHTS for kind in ("fusion", "average", "stacking")},
    "triplet": _DISTANCES + _MARGIN + _DESCENT,
    "siamese": _DISTANCES + _DESCENT,
    "transfer": _TRANSFER + _WEIGHTS,
    **dict.fromkeys(NETWORK_NAMES, _SEGMENTER),
    SEVERITY: _SEVERITY,
}

#: Settings of which every combination is tried, by method.
GRIDS: Mapping[str, tuple[Axis, ...]] = dict.fromkeys(
    ("cnn", "ensemble_fusion", "ensemble_average", "ensemble_stacking"), CNN_GRID
)
