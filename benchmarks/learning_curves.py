"""Which method at which amount of data: learning curves on simulated line-scan images, or on a public data set.

    python benchmarks/learning_curves.py --out runs/curve-line-scan --per-class 5 --per-class 20
    python benchmarks/learning_curves.py --data DATA/magnetic_tile --out runs/curve-tile --set embedding.metadata=true

Images become patches and folds by the pipeline's own steps; the curve is that of `glassline learning-curve`.
"""

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from real_images import SETTINGS

from glassline.data.importers import source_hash
from glassline.steps.extract_candidates import extract_candidates
from glassline.steps.import_images import import_images
from glassline.steps.split_samples import split_samples
from glassline.vision.patches import ExtractSettings
from glassline_cli.local_run import use_tracking


def main(
    out: Annotated[Path, typer.Option(help="folder for data and results; a killed run goes on")],
    data: Annotated[Path | None, typer.Option(help="folder of magnetic_tile; simulated line-scan without it")] = None,
    samples: Annotated[int, typer.Option(min=100, help="marks to simulate")] = 9000,
    folds: Annotated[int, typer.Option(min=2, help="folds; every one is tested on")] = 3,
    model: Annotated[list[str] | None, typer.Option(help="method, repeatable")] = None,
    per_class: Annotated[list[int] | None, typer.Option(help="images of a class, repeatable")] = None,
    overrides: Annotated[list[str] | None, typer.Option("--set", help="setting of the training, key=value")] = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Draw the curve."""
    out.mkdir(parents=True, exist_ok=True)
    # Steps open runs, and so does the command.
    use_tracking(out)
    if not (out / "split.parquet").is_file():
        _split(out, data, samples, folds, seed)
    words = [str(out / "split.parquet"), "--out", str(out), "--seed", str(seed)]
    for option, values in (("--model", model), ("--per-class", per_class), ("--set", overrides)):
        words += [word for value in values or () for word in (option, str(value))]
    sys.exit(subprocess.run([sys.executable, "-m", "glassline_cli", "learning-curve", *words]).returncode)


def _split(out: Path, data: Path | None, samples: int, folds: int, seed: int) -> None:
    given: dict[str, Any] = {"data_format": "coco", "product": "glass"}
    if data is None:
        data = out / "data"
        words = ["simulate", "line-scan", "--samples", str(samples), "--seed", str(seed), "--out", str(data)]
        subprocess.run([sys.executable, "-m", "glassline_cli", *words], check=True)
    else:
        given = SETTINGS["magnetic_tile"]
    extract = ExtractSettings.parse(
        {"candidates": given["extract.candidates"]} if "extract.candidates" in given else {}
    )
    layout = str(given["data_format"])
    import_images(
        str(data), layout, source_hash(data, layout), str(given["product"]), "1", "", str(out / "samples.parquet")
    )
    extract_candidates(
        str(out / "samples.parquet"), str(out / "store"), extract.model_dump(), str(out / "patches.parquet")
    )
    split_samples(str(out / "patches.parquet"), folds, seed, str(out / "split.parquet"))


if __name__ == "__main__":
    typer.run(main)
