"""`glassline tune`: search the settings of a method."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from glassline.errors import SettingsError

if TYPE_CHECKING:
    from glassline.tuning.outcome import Outcome, Retraining


def tune(
    method: Annotated[
        str, typer.Argument(help="Classifier or segmentation network of `glassline models`, or severity.")
    ],
    split: Annotated[
        Path,
        typer.Option(
            help="Patches with folds: artifacts/…/split-samples/split of a run; images for unet_* and severity."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the study, tables, figures and the page.")],
    trials: Annotated[
        int, typer.Option(help="Trials in all, those of killed tries included; a grid has its own.")
    ] = 20,
    grid: Annotated[bool, typer.Option("--grid", help="Try every combination of the paper's tuning figure.")] = False,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", help="Setting of the training, key=value; it is not searched then.")
    ] = None,
    fold: Annotated[
        list[int] | None, typer.Option(help="Fold that trials are judged on, repeatable; 1 by default.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of draws and fits.")] = 0,
) -> None:
    """Search the settings of a method: trials that fall behind are pruned, a killed search goes on.

    Trials are judged on a validation fold; the test fold 0 is never looked at. MLflow has a run per trial.

    Example: glassline tune cnn --split runs/demo/artifacts/…/split-samples/split --trials 40 --out runs/tune-cnn
    """
    from importlib.util import find_spec

    from glassline_cli.local_run import use_tracking
    from glassline_cli.overrides import with_overrides

    if find_spec("optuna") is None:
        raise SettingsError(
            "optuna must be installed to tune, got none; pip install 'glassline[steps,training,report,tune]'"
        )
    from glassline.tuning.subject import default_settings
    from glassline.tuning.subjects import read_subject
    from glassline.tuning.tune import Search
    from glassline.tuning.tune import tune as search

    use_tracking(out)
    base = with_overrides(default_settings(method), overrides or [])
    fixed = [pair.partition("=")[0] for pair in overrides or []]
    subject = read_subject(method, str(split), fold or [], seed, out)
    asked = Search(base, fixed, trials, grid)
    _show(search(asked, subject, out, lambda best, names: retraining(method, best, names, seed)), out)


def retraining(method: str, best: Any, names: Sequence[str], seed: int) -> "Retraining":
    """Return how `glassline run` trains a method with settings.

    Args:
        method: Name of the method.
        best: Settings of its fit; those that say where it runs are left out.
        names: Dotted names of those that are told even where the preset has the same.
        seed: Seed of the search, and of the folds or glasses that it was judged on.
    """
    from glassline.models.settings import METRIC_MODEL_NAMES, MODEL_NAMES, NETWORK_NAMES, WITHOUT_IMAGE_BRANCH
    from glassline.tuning.outcome import Retraining
    from glassline.tuning.subject import OF_MACHINE

    group = "training" if method in MODEL_NAMES else "segmentation" if method in NETWORK_NAMES else "regression"
    preset = "captures-full" if group == "segmentation" else "full"
    kept = flat(getattr(_preset(preset), group).model_dump(mode="json"))
    told = {
        f"{group}.{name}": value
        for name, value in flat(best.model_dump(mode="json")).items()
        if name in names or (kept.get(name) != value and name not in OF_MACHINE)
    }
    if method == "transfer":
        told["models"] = ["transfer", "cnn"]
    if method in MODEL_NAMES and method not in WITHOUT_IMAGE_BRANCH:
        told["model_name"] = method
    if method in METRIC_MODEL_NAMES:
        told["metric_model"] = method
    told["seed"] = seed
    words = [word for name, value in told.items() for word in ("--set", f"{name}={_text(value)}")]
    told_words = shlex.join(
        ["glassline", "run", "retrain", "--preset", preset, "--data", "DATA", "--out", "OUT", *words]
    )
    return Retraining(told, told_words)


def flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested settings by dotted name."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        found |= flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return found


def _preset(name: str) -> Any:
    from glassline_cli.run import preset_settings

    return preset_settings("retrain", name, [])


def _text(value: Any) -> str:
    """Return a value as `--set` reads it."""
    import json

    return value if isinstance(value, str) else json.dumps(value)


def _show(outcome: "Outcome", out: Path) -> None:
    """Print the best settings, and where the rest lies."""
    from rich.console import Console
    from rich.table import Table

    from glassline.tuning.outcome import BEST, PAGE, TRIALS

    console = Console(soft_wrap=True, highlight=False)
    states = outcome.trials["state"].value_counts()
    counted = ", ".join(f"{states[state]} {state}" for state in ("complete", "pruned", "failed") if state in states)
    table = Table("setting", "best")
    for name, value in outcome.settings.items():
        table.add_row(name, str(value))
    console.print(f"{outcome.objective} {outcome.score:.4f}; trials: {counted}", markup=False)
    console.print(table)
    for name in (BEST, TRIALS, PAGE):
        console.print(f"written: {out / name}", markup=False)
    console.print(f"train with it: {outcome.retraining.command}", markup=False)
