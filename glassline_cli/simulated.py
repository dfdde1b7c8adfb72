"""Simulated line-scan data for a run that names no data."""

from pathlib import Path

SAMPLES = {"smoke": 240, "demo": 1200, "full": 6000}


def simulated_data(preset: str, seed: int, out: Path) -> Path:
    """Return a folder of simulated line-scan images below `out`, made unless it is there already."""
    from hardware_ingest.line_scan.dataset import simulate_line_scan

    folder = out / "simulated" / f"line-scan-{SAMPLES[preset]}-seed-{seed}"
    if not folder.is_dir():  # written whole or not at all
        print(f"simulating {SAMPLES[preset]} line-scan samples", flush=True)
        simulate_line_scan(SAMPLES[preset], seed, folder)
    return folder
