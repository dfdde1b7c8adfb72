"""Is one model really better than another: chi-square, McNemar and the interval of the difference."""

from pathlib import Path

import pandas as pd

from glassline.analysis.metrics import confusion_matrix
from glassline.analysis.significance import accuracy_difference, chi_square, mcnemar_matrix, mcnemar_test
from glassline.data.storage import written_whole
from glassline.errors import DataError
from glassline.steps.evaluate_classifier import PREDICTIONS
from glassline.tracking import step_run

#: Files of the comparison's folder.
COMPARISON, FIGURE = "comparison.parquet", "significance.png"


def compare_models(evaluation_path: str, baseline: str, seed: int, comparison_path: str) -> None:
    """Compare every model with the baseline on the same units and write one row each.

    Args:
        evaluation_path: Folder written by `evaluate_classifier`.
        baseline: Name of the baseline, the vanilla CNN in the paper's Table 4.
        seed: Seed of the bootstrap over groups.
        comparison_path: Folder for `comparison.parquet` (model, baseline, accuracies, their difference with its
            interval, McNemar's p, chi-square, degrees of freedom and p) and `significance.png` of every pair.

    Raises:
        DataError: The baseline was not evaluated.
    """
    from glassline.report.figures import save_figure
    from glassline.report.significance import significance_figure

    with step_run("compare_models", {"baseline": baseline, "seed": seed}) as run:
        pooled = pd.read_parquet(Path(evaluation_path) / PREDICTIONS)
        names = list(pooled["model"].unique())
        if baseline not in names:
            raise DataError(
                f"the baseline must be one of the evaluated models {names}, got {baseline!r}; add it to models"
            )
        reference = _of(pooled, baseline)
        rows = []
        for name in names:
            if name == baseline:
                continue
            row, by_class = _compare(_of(pooled, name), reference, seed)
            rows.append({"model": name, "baseline": baseline, **row})
            run.table(by_class, f"chi_square_{name}")
            run.metrics({f"{key}_{name}": value for key, value in row.items()})
        right = _right(pooled)
        p_MM = mcnemar_matrix(right)
        figure = significance_figure(p_MM, right.mean())
        run.figure(figure, "significance")
        run.table(p_MM.reset_index(names="model"), "significance")
        table = pd.DataFrame(rows)
        with written_whole(comparison_path) as beside:
            beside.mkdir(parents=True)
            table.to_parquet(beside / COMPARISON)
            save_figure(figure, beside / FIGURE)
        run.table(table, "comparison")


def _right(pooled: pd.DataFrame) -> pd.DataFrame:
    """Return whether each model (columns, in the order evaluated) is right on each unit (rows)."""
    right = pooled.assign(right=pooled["actual"] == pooled["predicted"]).pivot(
        index="unit", columns="model", values="right"
    )
    return right[list(pooled["model"].unique())].astype(bool)


def _of(pooled: pd.DataFrame, name: str) -> pd.DataFrame:
    return pooled[pooled["model"] == name].sort_values("unit", ignore_index=True)


def _compare(one: pd.DataFrame, reference: pd.DataFrame, seed: int) -> tuple[dict[str, float], pd.DataFrame]:
    classes = sorted(set(one["actual"]) | set(one["predicted"]) | set(reference["predicted"]))
    right, reference_right = one["actual"] == one["predicted"], reference["actual"] == reference["predicted"]
    paired = mcnemar_test(right.to_numpy(), reference_right.to_numpy())
    difference = accuracy_difference(right.to_numpy(), reference_right.to_numpy(), one["group"].to_numpy(), seed=seed)
    chi = chi_square(
        confusion_matrix(one["actual"], one["predicted"], classes),
        confusion_matrix(reference["actual"], reference["predicted"], classes),
        classes,
    )
    row = {
        "accuracy": float(right.mean()), "baseline_accuracy": float(reference_right.mean()),
        "difference": difference.difference, "difference_low": difference.low, "difference_high": difference.high,
        "mcnemar_p": paired.p, "chi_square": chi.statistic, "chi_square_dof": chi.dof, "chi_square_p": chi.p,
    }  # fmt: skip
    return row, pd.DataFrame([vars(entry) for entry in chi.classes])
