"""Simulated data for a run that names none: line-scan images, or glasses in the dark-field rig."""

from pathlib import Path
from typing import Literal

Optics = Literal["line-scan", "dark-field"]

#: Annotated spots, and glasses, by size of the run.
SAMPLES = {"smoke": 240, "demo": 1200, "full": 6000}
GLASSES = {"smoke": 12, "demo": 40, "full": 200}


def simulated_data(optics: Optics, preset: str, seed: int, out: Path) -> Path:
    """Return a folder of simulated data below `out`, made unless it is there already.

    Args:
        optics: Which rig.
        preset: Of the run; what comes after its last dash decides the size.
        seed: Same seed, same bytes.
        out: Folder of the run.
    """
    size = preset.rpartition("-")[2]
    if optics == "line-scan":
        return _line_scan(SAMPLES[size], seed, out)
    return _dark_field(GLASSES[size], seed, out)


def _line_scan(samples: int, seed: int, out: Path) -> Path:
    from hardware_ingest.line_scan.dataset import simulate_line_scan

    folder = out / "simulated" / f"line-scan-{samples}-seed-{seed}"
    if not folder.is_dir():  # written whole or not at all
        print(f"simulating {samples} line-scan samples", flush=True)
        simulate_line_scan(samples, seed, folder)
    return folder


def _dark_field(glasses: int, seed: int, out: Path) -> Path:
    raise NotImplementedError
