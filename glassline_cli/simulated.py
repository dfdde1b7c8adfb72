"""Simulated data for a run that names none: line-scan images, or glasses in the dark-field rig."""

from pathlib import Path
from typing import Literal

Simulated = Literal["line-scan", "labels", "session"]

#: Annotated spots, and glasses, by size of the run.
SAMPLES = {"smoke": 240, "demo": 1200, "full": 6000}
GLASSES = {"smoke": 12, "demo": 40, "full": 200}


def simulated_data(what: Simulated, preset: str, seed: int, out: Path) -> Path:
    """Return simulated data below `out`, made unless it is there already.

    Args:
        what: Line-scan images; clean captures with their truth as labels; or a session of the dark-field rig, clean
            and marked captures beside the inspector's boxes.
        preset: Of the run; what comes after its last dash decides the size.
        seed: Same seed, same bytes.
        out: Folder of the run.
    """
    size = preset.rpartition("-")[2]
    if what == "line-scan":
        return _line_scan(SAMPLES[size], seed, out)
    if what == "labels":
        return _glasses(GLASSES[size], seed, out, marked=False)
    return _glasses(GLASSES[size], seed, out, marked=True) / "captures"


def _line_scan(samples: int, seed: int, out: Path) -> Path:
    from hardware_ingest.line_scan.dataset import simulate_line_scan

    folder = out / "simulated" / f"line-scan-{samples}-seed-{seed}"
    if not folder.is_dir():  # written whole or not at all
        print(f"simulating {samples} line-scan samples", flush=True)
        simulate_line_scan(samples, seed, folder)
    return folder


def _glasses(glasses: int, seed: int, out: Path, marked: bool) -> Path:
    from hardware_ingest.dark_field.dataset import GlassSetSettings, simulate_glasses

    folder = out / "simulated" / f"glass-{glasses}-{'marked-' if marked else ''}seed-{seed}"
    if not folder.is_dir():
        print(f"simulating {glasses} glasses", flush=True)
        simulate_glasses(GlassSetSettings(glasses=glasses, seed=seed, marked=marked), folder)
    return folder
