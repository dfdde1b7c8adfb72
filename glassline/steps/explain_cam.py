"""Show where the model looks, and list the samples where it looks elsewhere than at the defect."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from glassline.data.names import plain_name
from glassline.data.samples import SampleTable, read_samples
from glassline.data.shards import ShardReader
from glassline.data.splits import test_rows
from glassline.data.storage import written_whole
from glassline.steps.train_ensemble import TEST_FOLD
from glassline.tracking import step_run
from glassline.training.failed_fit import failure_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Files of the explanation folder, beside one `cam_<class>.png` per class.
EXPLAINED, ELSEWHERE = "cams.parquet", "elsewhere.parquet"
_SHOWN, _EXPLAINED_AT_MOST = 6, 600


def explain_cam(augmented_path: str, model_path: str, name: str, seed: int, explanation_path: str) -> None:
    """Map the activation of held-out samples, per class, and measure its share inside the defect.

    Of a model that does not look at the patch there is nothing to map: the lists are empty, and a note says so. They
    are empty too of a candidate whose training failed.

    Args:
        augmented_path: Table of patches with folds.
        model_path: Folder written by `train_ensemble` or `train_candidate`.
        name: What the model is called in this run.
        seed: Seed of the choice of samples where there are more than 600.
        explanation_path: Folder for overlays per class, `cams.parquet` (one row per explained sample:
            energy share, mask share, elsewhere) and `elsewhere.parquet` (its rows to review, thumbnails as PNG).
    """
    from glassline.analysis.cam import activation_maps, energy_inside, has_image_branch, looks_elsewhere
    from glassline.report.figures import save_figure
    from glassline.training.fitted import load_fitted, predict

    with step_run("explain_cam", {"model": name, "seed": seed}, part=name) as run:
        if failure_of(model_path):
            return _write_none(explanation_path)
        table, fitted = read_samples(augmented_path, "patches", extra=["fold"]), load_fitted(model_path)
        if not has_image_branch(fitted):
            run.note(f"{name} does not look at the patch: there is no map of where it looks")
            return _write_none(explanation_path)
        rows_N = _choose(table, seed)
        probability_NC = predict(fitted, table, rows_N)
        rows = table.rows.iloc[rows_N]
        patch_NHW = ShardReader(table.root, "patch").read(rows["shard"], rows["row"])
        mask_NHW = ShardReader(table.root, "mask").read(rows["shard"], rows["row"]) > 0
        metadata_NM = rows[list(fitted.attributes)].to_numpy(np.float32, copy=True)
        decided_N = probability_NC.argmax(1)
        cam_NHW = np.concatenate(
            [
                activation_maps(fitted, patch_NHW[part], metadata_NM[part], decided_N[part].tolist())
                for part in np.array_split(np.arange(len(rows)), max(1, len(rows) // 64))
            ]
        )
        explained = pd.DataFrame(
            {
                "id": rows["id"].to_numpy(),
                "label": rows["label"].to_numpy(),
                "predicted": [fitted.classes[index] for index in decided_N],
                "energy_share": energy_inside(cam_NHW, mask_NHW),
                "mask_share": mask_NHW.mean(axis=(1, 2)),
            }
        )
        # Only what is labelled as a defect can be looked past: a clean patch may show a neighbour's corner.
        defect_N = (rows["label"] != fitted.clean_class).to_numpy() & mask_NHW.any(axis=(1, 2))
        explained["elsewhere"] = defect_N & looks_elsewhere(cam_NHW, mask_NHW)
        elsewhere = explained[explained["elsewhere"]].assign(
            thumbnail=[_png(patch_HW) for patch_HW in patch_NHW[explained["elsewhere"].to_numpy()]]
        )
        with written_whole(explanation_path) as beside:
            beside.mkdir(parents=True)
            explained.to_parquet(beside / EXPLAINED)
            elsewhere.to_parquet(beside / ELSEWHERE)
            for label, figure in _overlays(fitted.classes, explained, patch_NHW, cam_NHW, mask_NHW):
                save_figure(figure, beside / f"cam_{plain_name(label)}.png")
                run.figure(figure, f"cam_{label}")
        shares = explained[defect_N].groupby("label")["energy_share"].mean()
        run.metrics({f"cam_energy_share_{label}": float(value) for label, value in shares.items()})
        run.metrics({"explained": len(explained), "elsewhere": len(elsewhere)})
        run.table(explained[explained["elsewhere"]].drop(columns="elsewhere"), "elsewhere")


def _write_none(explanation_path: str) -> None:
    """Write the lists of a model that nothing was explained of."""
    columns = ["id", "label", "predicted", "energy_share", "mask_share", "elsewhere"]
    with written_whole(explanation_path) as beside:
        beside.mkdir(parents=True)
        pd.DataFrame(columns=columns).to_parquet(beside / EXPLAINED)
        pd.DataFrame(columns=[*columns, "thumbnail"]).to_parquet(beside / ELSEWHERE)


def _choose(table: SampleTable, seed: int) -> npt.NDArray[np.intp]:
    """Return held-out rows, at most 600, in the table's order."""
    rows_N = test_rows(table, TEST_FOLD)
    if len(rows_N) > _EXPLAINED_AT_MOST:
        rows_N = np.sort(np.random.default_rng(seed).choice(rows_N, _EXPLAINED_AT_MOST, replace=False))
    return rows_N


def _overlays(
    classes: Sequence[str], explained: pd.DataFrame, patch_NHW: npt.NDArray[np.uint8],
    cam_NHW: npt.NDArray[np.float32], mask_NHW: npt.NDArray[np.bool_],
) -> "Iterator[tuple[str, Figure]]":  # fmt: skip
    """Draw the first samples of each class that has any."""
    from glassline.report.figures import cam_grid

    for name in classes:
        shown = np.flatnonzero(explained["label"] == name)[:_SHOWN]
        if len(shown):
            titles = [f"{one.predicted}, {one.energy_share:.0%} inside" for one in explained.iloc[shown].itertuples()]
            yield name, cam_grid(patch_NHW[shown], cam_NHW[shown], mask_NHW[shown], titles)


def _png(patch_HW: npt.NDArray[np.uint8]) -> bytes:
    import cv2

    return bytes(cv2.imencode(".png", patch_HW)[1])
