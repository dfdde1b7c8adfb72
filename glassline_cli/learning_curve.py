"""`glassline learning-curve`: which method to use at which amount of data."""

from pathlib import Path
from typing import Annotated

import typer


def learning_curve(
    split: Annotated[Path, typer.Argument(help="Patches with folds: artifacts/…/split-samples/split of a run.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for table, figure and what a killed try trained.")],
    model: Annotated[
        list[str] | None, typer.Option(help="Method, repeatable; triplet, cnn, svm, knn and naive_bayes by default.")
    ] = None,
    per_class: Annotated[
        list[int] | None, typer.Option(help="Images of a class, repeatable; 5, 10, 20, 50, 100, 300, 1000 by default.")
    ] = None,
    overrides: Annotated[list[str] | None, typer.Option("--set", help="Setting of the training, key=value.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of draws and fits.")] = 0,
) -> None:
    """Train every method on few images, and draw its scores over their number.

    Example: glassline learning-curve runs/demo/artifacts/…/split-samples/split --per-class 20 --out curve/
    """
    from rich.console import Console
    from rich.table import Table

    from glassline.steps.learning_curve import FIGURE, learning_curve
    from glassline.training.settings import TrainingSettings
    from glassline_cli.local_run import use_tracking
    from glassline_cli.overrides import with_overrides

    out.mkdir(parents=True, exist_ok=True)
    use_tracking(out)
    training = with_overrides(TrainingSettings(), overrides or [])
    models = list(dict.fromkeys(model or ["triplet", "cnn", "svm", "knn", "naive_bayes"]))
    amounts = per_class or [5, 10, 20, 50, 100, 300, 1000]
    curve = learning_curve(
        str(split), models, amounts, training.model_dump(), seed, str(out / "store"), str(out / "curve")
    )
    table = Table("images of a class", *models, "best")
    for number, rows in curve.groupby("per_class"):
        mean = rows.groupby("model")["macro_f1"].mean()
        table.add_row(str(number), *(f"{mean[name]:.3f}" for name in models), str(mean.idxmax()))
    console = Console(soft_wrap=True, highlight=False)
    console.print("macro F1, mean over folds")
    console.print(table)
    console.print(f"written: {out / 'curve' / FIGURE}", markup=False)
