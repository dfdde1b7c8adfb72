"""What the check of a new cycle's data asks of it."""

from pydantic import Field

from glassline.settings import Settings
from glassline.training.candidate import Candidate


class CheckSettings(Settings):
    """What is refused, what is warned of, and which candidates are trained."""

    least_per_class: int = Field(
        10, ge=2, description="units of a class (images, or marks where single marks are annotated) that it must have"
    )
    least_groups: int = Field(2, ge=2, description="groups, such as glasses, that each class must be seen on")
    most_imbalance: float = Field(
        20.0, ge=1, description="units of the largest class for one of the smallest, above which it is warned"
    )
    relabelled: bool = Field(
        False, description="samples of the last cycle may have another label now, as after a correction"
    )
    light_shift: float = Field(
        0.25, gt=0, description="change of a rig's background level since the last cycle above which it is warned"
    )
    most_saturated: float = Field(
        0.5, gt=0, le=1, description="share of an image at white from which it cannot be read; zones of captures: 5 %"
    )
    most_even: float = Field(
        0.9, gt=0, le=1, description="share of an image at one grey level from which it shows nothing"
    )
    images_per_rig: int = Field(100, ge=1, le=10000, description="images of a rig whose light is measured, at most")
    patches: int = Field(
        1500, ge=20, le=20000, description="patches of each cycle that are compared, at most; memory grows with it"
    )
    embedded: int = Field(
        400, ge=20, le=2000, description="patches of each cycle whose embeddings are compared; memory: its square"
    )
    alike: float = Field(
        0.8, gt=0, le=1, description="correlation of fine detail from which two patches show the same mark"
    )
    significance: float = Field(0.05, gt=0, lt=1, description="largest p, Holm-corrected, at which a drift is told")
    permutations: int = Field(1999, ge=99, le=100000, description="random regroupings that p is counted over")
    seed: int = Field(0, ge=0, description="seed of draws and permutations")
    sources: int = Field(0, ge=0, description="listed sets to learn from; the pipeline fills it in")
    most_candidates: int = Field(4, ge=1, le=50, description="candidates that are trained, at most")
    candidates: tuple[Candidate, ...] = Field(
        (), description="candidates to train; () chooses them by the amount of data"
    )
