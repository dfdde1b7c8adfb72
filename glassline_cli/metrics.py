"""`glassline metrics`: figures of a confusion matrix, and its test against a baseline's."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from glassline.analysis.metrics import ClassifierMetrics
    from glassline.analysis.significance import ChiSquare


def metrics(
    confusion: Annotated[
        Path, typer.Option("--confusion", help="CSV: first row actual,<class>,… then one row per actual class.")
    ],
    baseline: Annotated[
        Path | None, typer.Option("--baseline", help="CSV of another model on the same samples, to test against.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Print accuracy, precision, recall and F1 of a confusion matrix.

    With a baseline also chi-square: each actual class's row against the baseline's as expected counts.

    Example: glassline metrics --confusion ensemble.csv --baseline cnn.csv --json
    """
    from glassline.analysis.confusion_file import read_confusion, read_matching
    from glassline.analysis.metrics import metrics_of
    from glassline.analysis.significance import chi_square

    confusion_CC, classes = read_confusion(confusion)
    found, test = metrics_of(confusion_CC, classes), None
    if baseline is not None:
        test = chi_square(confusion_CC, read_matching(baseline, classes), classes)
    if as_json:
        import json

        typer.echo(json.dumps(_document(found, test), indent=2))
        return
    from rich.console import Console

    console = Console()
    _print_metrics(console, found)
    if test:
        _print_test(console, test)


def _document(found: "ClassifierMetrics", test: "ChiSquare | None") -> dict[str, Any]:
    document = asdict(found)
    document["classes"] = list(found.classes)
    document["confusion"] = found.confusion.tolist()
    names = ("precision", "recall", "f1", "support")
    by_name = {name: document.pop(name) for name in names}
    document["per_class"] = {label: {name: by_name[name][label] for name in names} for label in found.classes}
    if test:
        document["chi_square"] = {
            "statistic": test.statistic,
            "dof": test.dof,
            "p": test.p,
            "per_class": {
                entry.actual: {"statistic": entry.statistic, "dof": entry.dof, "p": entry.p, "merged": entry.merged}
                for entry in test.classes
            },
        }
    return document


def _print_metrics(console: "Console", found: "ClassifierMetrics") -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table("class", "precision", "recall", "F1", "samples")
    for label in found.classes:
        values = (found.precision[label], found.recall[label], found.f1[label])
        table.add_row(escape(label), *(f"{value:.4f}" for value in values), str(found.support[label]))
    table.add_section()
    means = (found.macro_precision, found.macro_recall, found.macro_f1)
    table.add_row("mean", *(f"{value:.4f}" for value in means), str(found.samples))
    console.print(table)
    console.print(f"accuracy {found.accuracy:.4f} (95 % Wilson {found.accuracy_low:.4f} to {found.accuracy_high:.4f})")
    console.print(f"F1, mean of the classes' F1: {found.macro_f1:.4f}")
    console.print(f"F1 of mean precision and mean recall: {found.f1_of_means:.4f}")


def _print_test(console: "Console", test: "ChiSquare") -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table("actual class", "chi-square", "dof", "p", "cells expected 0", title="against the baseline")
    for entry in test.classes:
        told = (f"{entry.statistic:.3f}", str(entry.dof), f"{entry.p:.4g}", escape(entry.merged))
        table.add_row(escape(entry.actual), *told)
    table.add_section()
    table.add_row("sum", f"{test.statistic:.3f}", str(test.dof), f"{test.p:.4g}", "")
    console.print(table)
