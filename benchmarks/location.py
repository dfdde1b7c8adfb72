"""Does location help where it should, and only there? Fusion against the vanilla CNN on simulated line-scan data.

    python benchmarks/location.py --out runs/location

Two data sets of the same marks: once the class depends partly on the place, once it does not.
"""

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

MODELS = "models=[cnn, ensemble_fusion]"


def _glassline(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "glassline_cli", *words], check=True)


def main(
    out: Annotated[Path, typer.Option(help="folder for data and results")],
    samples: Annotated[int, typer.Option(min=100, help="marks to simulate")] = 1200,
    seed: Annotated[int, typer.Option(min=0)] = 11,
) -> None:
    """Run `retrain` on both data sets; the comparison is in each report and in MLflow."""
    for location in ("informative", "uninformative"):
        data = out / f"data-{location}"
        if not data.is_dir():
            _glassline(
                "simulate", "line-scan", "--samples", str(samples), "--seed", str(seed), "--out", str(data),
                "--location", location,
            )  # fmt: skip
        _glassline(
            "run", "retrain", "--preset", "demo", "--data", str(data), "--out", str(out / location),
            "--set", MODELS, "--set", f"seed={seed}", "--set", f"product={location}",
        )  # fmt: skip


if __name__ == "__main__":
    typer.run(main)
