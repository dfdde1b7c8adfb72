"""Run `retrain` on a public data set with the settings that its images need.

    python benchmarks/real_images.py magnetic_tile --preset full --data DATA/magnetic_tile --out runs/magnetic_tile

The data sets are not ours to ship; docs/results.md says where the figures come from.
"""

import subprocess
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from glassline.vision.candidates import magnetic_tile_candidates, phone_screen_candidates

#: What each data set needs besides the preset.
SETTINGS: dict[str, dict[str, object]] = {
    "magnetic_tile": {
        "data_format": "mask-folder",
        "product": "magnetic-tile",
        "extract.candidates": magnetic_tile_candidates().model_dump(),
        "models": [
            "mlp",
            "cnn",
            "metadata",
            "ensemble_fusion",
            "triplet",
            "siamese",
            "knn",
            "naive_bayes",
            "svm",
        ],
        "augment.copies": 1,
        "training.epochs": 20,
        "training.embedding.metadata": True,
        "training.embedding.dropout": 0.3,
        "training.embedding.neighbours": 50,
        "training.clean_ratio": 4,
        "training.cnn.pool_px": 4,
        "training.class_weights": "root",
        "training.weight_decay": 0.02,
        "parts": 2,
    },
    "phone_screen": {
        "data_format": "image-folder",
        "product": "phone-screen",
        "extract.candidates": {**phone_screen_candidates().model_dump(), "per_image": 2},
        "extract.systematic": True,
        "models": ["mlp", "cnn", "metadata", "ensemble_fusion"],
        "augment.copies": 3,
        "training.epochs": 40,
        "training.batch_size": 16,
        "training.cnn.pool_px": 4,
        "training.weight_decay": 0.02,
        "parts": 2,
    },
}


def main(
    name: Annotated[Literal["magnetic_tile", "phone_screen"], typer.Argument(help="data set")],
    data: Annotated[Path, typer.Option(help="its folder")],
    out: Annotated[Path, typer.Option(help="folder for the results")],
    preset: Annotated[str, typer.Option(help="smoke, demo or full")] = "full",
    overrides: Annotated[list[str] | None, typer.Option("--set", help="further settings, key=value")] = None,
) -> None:
    """Run the main job on a public data set."""
    pairs = [f"{key}={value}" for key, value in SETTINGS[name].items()] + (overrides or [])
    words = ["run", "retrain", "--preset", preset, "--data", str(data), "--out", str(out)]
    for pair in pairs:
        words += ["--set", pair]
    sys.exit(subprocess.run([sys.executable, "-m", "glassline_cli", *words]).returncode)


if __name__ == "__main__":
    typer.run(main)
