"""What the gate asks of a candidate; a module of its own, since pipelines read it without pandas."""

from pydantic import Field

from glassline.settings import Settings


class GateSettings(Settings):
    """What a candidate must show before it becomes champion; rates are shares of 1.

    A bound of 95 % cannot get under 2.7 / (n + 2.7) for n defective units where both models miss the same: `fn_margin`
    then asks for 88 of them, which 30 images of each of three kinds of defect give. Of the old product one fold alone
    is left that neither model learned from: `old_fn_margin` asks for 16. Of several candidates each has a wider bound:
    four ask for 163 and 29, unless one misses fewer than the champion does.
    """

    confidence: float = Field(
        0.95, gt=0.5, lt=1, description="of the bound on how much false negatives may rise, over all candidates"
    )
    fn_margin: float = Field(
        0.03, gt=0, le=1, description="by how much the rate of false negatives may rise at most, within that confidence"
    )
    significance: float = Field(
        0.05, gt=0, lt=1, description="McNemar's p, Holm-corrected over candidates, must be under this"
    )
    recall_loss: float = Field(0.1, ge=0, le=1, description="largest loss of recall of any class")
    old_fn_margin: float = Field(
        0.15, gt=0, le=1, description="fn_margin on the old product; 1 when that is no longer made"
    )
    old_recall_loss: float = Field(
        0.2, ge=0, le=1, description="recall_loss on the old product; 1 when that is no longer made"
    )
    latency_ms: float = Field(
        100, gt=0, description="budget of the target: 95 of 100 units must be judged within so many milliseconds"
    )


class LatencySettings(Settings):
    """How the time of a unit is measured, which the gate holds against the target's budget."""

    threads: int = Field(1, ge=1, le=256, description="threads of the runtime, as on the target")
    units: int = Field(50, ge=1, le=10_000, description="units that are timed, one after the other")
