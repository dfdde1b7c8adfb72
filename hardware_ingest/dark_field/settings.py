"""How hard the simulated glass is to inspect: presets, fixed before anything is trained on them.

A rate is in grey levels (DN) of the green pixels per millisecond at 0 dB, from one lit LED group.
"""

from collections.abc import Callable

from pydantic import Field

from glassline.errors import SettingsError
from glassline.settings import Settings

#: Defects, in the order of a model's outputs, without `control`.
DEFECTS = ("scratch", "dent", "mold", "fold")
#: What can be wiped off, and is no defect.
CONTAMINANTS = ("dust", "stain", "fingerprint")

#: Exposure of each light state in simulated captures; the rates below suit it.
EXPOSURE_US = 8000.0


class Difficulty(Settings):
    """Optics, sensor, stage, and what lies on a glass."""

    pitch_um: float = Field(11.4, gt=0, description="pixel pitch on the glass")
    blur_px: float = Field(0.7, ge=0.5, description="sigma of the lens's point spread")
    contrast: float = Field(1.0, gt=0, description="factor on the scatter of defects")
    bulk_rate: float = Field(0.5, ge=0, description="rate of the faint scatter in the glass itself")
    stray_rate: float = Field(0.3, ge=0, description="rate of light that no LED group makes")
    glare_rate: float = Field(15.0, ge=0, description="rate of the glare at the glass's rim")
    falloff: float = Field(0.25, ge=0, lt=1, description="loss of light at the corner of the view")
    tilt: float = Field(0.12, ge=0, lt=0.5, description="by how much a group is brighter on its own side")
    group_spread: float = Field(0.05, ge=0, lt=0.25, description="sigma of the groups' brightness")
    dn_per_electron: float = Field(0.25, gt=0, description="gain of the sensor at 0 dB")
    read_noise_dn: float = Field(1.4, gt=0, description="sigma of the read noise at 0 dB")
    hot_per_mpx: float = Field(20.0, ge=0, description="hot pixels per megapixel of the sensor")
    jitter_um: float = Field(6.0, ge=0, description="sigma of the stage's error of a move, each axis")
    good_share: float = Field(0.3, ge=0, le=1, description="share of glasses without any defect")
    scratches: float = Field(2.0, ge=0, description="mean number on another glass")
    dents: float = Field(0.9, ge=0, description="mean number on another glass")
    molds: float = Field(0.9, ge=0, description="mean number on another glass")
    folds: float = Field(0.7, ge=0, description="mean number on another glass")
    dust_per_cm2: float = Field(6.0, ge=0, description="grains, often saturated")
    specks_per_cm2: float = Field(25.0, ge=0, description="faint grains of a pixel or two")
    fibres_per_cm2: float = Field(0.8, ge=0, description="lint: lines that scatter evenly")
    stains_per_cm2: float = Field(0.5, ge=0, description="dried drops and smears")
    fingerprints_per_cm2: float = Field(0.08, ge=0, description="prints of a finger")
    evenness: float = Field(0.08, ge=0, lt=0.5, description="modulation over azimuth of what can be wiped off")


def easy() -> Difficulty:
    """Return strong defects on well-washed glass before a quiet sensor."""
    return Difficulty(
        contrast=1.8, read_noise_dn=1.0, falloff=0.15, tilt=0.06, jitter_um=3.0, dust_per_cm2=3.0, specks_per_cm2=12.0,
        fibres_per_cm2=0.3, stains_per_cm2=0.2, fingerprints_per_cm2=0.02, evenness=0.05,
    )  # fmt: skip


def standard() -> Difficulty:
    """Return what the rig sees on an ordinary day."""
    return Difficulty()


def hard() -> Difficulty:
    """Return faint defects on badly washed glass before a noisy sensor."""
    return Difficulty(
        contrast=0.5, read_noise_dn=2.4, dn_per_electron=0.35, falloff=0.4, tilt=0.2, group_spread=0.09,
        glare_rate=30.0, jitter_um=10.0, dust_per_cm2=12.0, specks_per_cm2=50.0, fibres_per_cm2=2.5, stains_per_cm2=1.5,
        fingerprints_per_cm2=0.25, evenness=0.14,
    )  # fmt: skip


def faint() -> Difficulty:
    """Return an ordinary day with scratches at the limit of the sensor.

    The peak of the faintest quarter of scratches stands at most three times above the noise in its best light state.
    """
    return Difficulty(contrast=0.028)


def unseen() -> Difficulty:
    """Return another rig in another room. NEVER train, tune or choose anything on it: it only tests.

    Pitch, blur, noise, falloff and the mix of contaminants differ from every other preset.
    """
    return Difficulty(
        pitch_um=9.2, blur_px=0.95, contrast=0.7, bulk_rate=0.8, stray_rate=0.15, glare_rate=22.0, falloff=0.5,
        tilt=0.16, group_spread=0.07, dn_per_electron=0.45, read_noise_dn=1.9, hot_per_mpx=60.0, jitter_um=8.0,
        dust_per_cm2=3.0, specks_per_cm2=80.0, fibres_per_cm2=4.0, stains_per_cm2=0.3, fingerprints_per_cm2=0.5,
        evenness=0.18,
    )  # fmt: skip


#: The presets by name.
DIFFICULTIES: dict[str, Callable[[], Difficulty]] = {
    "easy": easy, "standard": standard, "hard": hard, "faint": faint, "unseen": unseen,
}  # fmt: skip


def difficulty_of(name: str) -> Difficulty:
    """Return a preset.

    Raises:
        SettingsError: There is none of this name.
    """
    if name not in DIFFICULTIES:
        raise SettingsError(f"difficulty must be one of {', '.join(DIFFICULTIES)}, got {name!r}; choose one of them")
    return DIFFICULTIES[name]()
