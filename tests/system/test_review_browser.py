"""What a reviewer sees of MLflow in a real browser: the list of runs, a run, its report, and what is to be reviewed."""

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest

from glassline import tracking
from glassline.data.samples import IMAGE_COLUMNS, SampleTable
from glassline.data.shards import ShardWriter
from glassline.report.page import PageFigure, ReportContent, Section, Verdict, write_page
from glassline.steps.queue_review import queue_review
from glassline.tracking import create_pipeline_run, parent_artifact, parent_tags, product_experiment, step_run

LOADED = "all => all.length > 0 && all.every(one => one.complete && one.naturalWidth > 0)"
PATIENT_MS = 60_000


def _patches(folder: Path) -> None:
    """Write a table of 12 patches of 12 images, and predictions that leave half of them in doubt."""
    rng, writer = np.random.default_rng(0), ShardWriter(folder / "shards", "patch", 112)
    rows, votes = [], []
    for number in range(12):
        patch_HW = rng.normal(120, 8, (112, 112)).clip(0, 255).astype(np.uint8)
        cv2.circle(patch_HW, (56, 56), 8, 220, -1)
        shard, row = writer.append(patch_HW)
        label = ("dent", "control")[number % 2]
        rows.append(
            {"id": f"i{number}#0", "image": f"i{number}", "shard": shard, "row": row, "label": label,
             "unit": f"i{number}#0", "unit_label": label, "has_mask": False, "overlap": float("nan"), "x_mm": 0.0,
             "y_mm": 0.0, "zone": "", "crop_x_px": 0, "crop_y_px": 0, "crop_px": 112, "group": f"g{number}",
             "product": "P2", "cycle": "2026b", "source": "", "sha256": "", "attr_width_share": 0.16,
             "attr_height_share": 0.16}
        )  # fmt: skip
        p = 0.52 if number < 6 else 0.99
        votes.append({"model": "cnn", "unit": f"i{number}#0", "actual": label, "predicted": label,
                      f"p_{label}": p, f"p_{'control' if label == 'dent' else 'dent'}": 1 - p})  # fmt: skip
    writer.close()
    patches = SampleTable(pd.DataFrame(rows), "patches", str(folder / "shards"), ("dent", "control"), "control")
    patches.write(folder / "augmented.parquet")
    images = patches.rows.assign(id=patches.rows["image"], objects="[]", mask="", sha256="0123456789abcdef", **{
        "pitch_um": float("nan"), "width_px": 112, "height_px": 112, "bit_depth": 8})[list(IMAGE_COLUMNS)]  # fmt: skip
    SampleTable(images, "images", "/line/tiles", ("dent", "control"), "control").write(folder / "samples.parquet")
    (folder / "votes").mkdir()
    pd.DataFrame(votes).to_parquet(folder / "votes" / "predictions.parquet")
    (folder / "promotion.json").write_text('{"promoted": true}')


def _report(path: Path) -> Path:
    png = bytes(cv2.imencode(".png", np.zeros((60, 60), np.uint8))[1])
    content = ReportContent(
        "cnn: retrained and compared",
        {"product": "P2"},
        [Section("Confusion", [PageFigure(png, "a matrix")])],
        verdict=Verdict(True, "cnn, version 1, is the champion", ["better"]),
    )
    write_page(content, path)
    return path


@pytest.fixture(scope="module")
def reviewed(mlflow_server: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Log two cycles of a product as pipelines do; return experiment and run of the promoted one."""
    folder = tmp_path_factory.mktemp("cycle")
    _patches(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", mlflow_server)
        for cycle, verdict in (("2026a", "kept"), ("2026b", "promoted")):
            for name in ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID"):
                patch.setenv(name, "")  # so that what the run sets is undone
                patch.delenv(name)
            tags = {"product": "P2", "cycle": cycle, "pipeline": "retrain", "method": "cnn", "data_hash": "3f9c" * 16}
            run = create_pipeline_run(product_experiment("P2"), "retrain", tags, None)
            with step_run("promote_model", {}) as step:
                step.tags({"glassline.reasons": "accuracy 0.97 against 0.91 of the champion"})
            queue_review(
                str(folder / "augmented.parquet"), str(folder / "samples.parquet"), [str(folder / "votes")], [], "",
                str(folder / "promotion.json"), {}, str(folder / cycle / "queue"),
            )  # fmt: skip
            parent_artifact(_report(folder / "report.html"))
            parent_tags({"verdict": verdict}, {"accuracy": 0.97, "macro_f1": 0.95, "fn_rate": 0.01})
            tracking.close_pipeline_run("FINISHED")
            experiment = os.environ["MLFLOW_EXPERIMENT_ID"]
        yield experiment, run


@pytest.fixture
def page(browser: Any) -> Any:
    opened = browser.new_page(viewport={"width": 2600, "height": 1100})
    yield opened
    opened.close()


def test_the_list_of_runs_shows_cycle_method_and_verdict(page: Any, mlflow_server: str, reviewed: Any) -> None:
    page.goto(
        f"{mlflow_server}/#/experiments/{reviewed[0]}/runs?workflowType=machine_learning&viewStateShareKey=glassline"
    )
    page.get_by_text("P2 2026b retrain").first.wait_for(timeout=PATIENT_MS)
    for heading in ("verdict", "method", "fn_rate", "macro_f1"):
        page.get_by_role("columnheader", name=heading).first.wait_for(timeout=PATIENT_MS)
    assert page.get_by_text("queue_review").count() == 0  # steps lie below their pipeline


def test_the_list_of_runs_is_filtered_by_verdict_and_cycle(page: Any, mlflow_server: str, reviewed: Any) -> None:
    asked = "tags.verdict%20%3D%20'promoted'%20and%20tags.cycle%20%3D%20'2026b'"
    page.goto(f"{mlflow_server}/#/experiments/{reviewed[0]}/runs?searchFilter={asked}")
    page.get_by_text("P2 2026b retrain").first.wait_for(timeout=PATIENT_MS)
    assert page.get_by_text("P2 2026a retrain").count() == 0


def test_a_run_tells_verdict_reasons_and_where_to_look(page: Any, mlflow_server: str, reviewed: Any) -> None:
    page.goto(f"{mlflow_server}/#/experiments/{reviewed[0]}/runs/{reviewed[1]}")
    page.get_by_text("accuracy 0.97 against 0.91 of the champion").first.wait_for(timeout=PATIENT_MS)
    link = page.get_by_role("link", name="To review").first.get_attribute("href")  # it opens another tab
    page.goto(f"{mlflow_server}/{link}")
    page.frame_locator("iframe").first.get_by_text("6 samples, the most doubtful first").wait_for(timeout=PATIENT_MS)


def test_the_report_opens_with_its_pictures(page: Any, mlflow_server: str, reviewed: Any) -> None:
    page.goto(f"{mlflow_server}/#/experiments/{reviewed[0]}/runs/{reviewed[1]}/artifacts/report.html")
    report = page.frame_locator("iframe").first
    report.get_by_text("is the champion").first.wait_for(timeout=PATIENT_MS)
    assert report.locator("img").evaluate_all(LOADED)


def test_decisions_are_made_on_the_page_of_the_queue(page: Any, mlflow_server: str, reviewed: Any) -> None:
    page.goto(f"{mlflow_server}/#/experiments/{reviewed[0]}/runs/{reviewed[1]}/artifacts/review.html")
    queue = page.frame_locator("iframe").first
    queue.locator("ol > li").first.wait_for(timeout=PATIENT_MS)
    assert queue.locator("img").evaluate_all(LOADED)
    queue.locator("select").nth(0).select_option("rejected")
    queue.locator("select").nth(1).select_option("accepted")
    told = queue.locator("textarea").input_value().splitlines()
    assert (told[0], len(told)) == ("id,decision,label", 3)
    assert told[1].endswith(",rejected,")


def test_pictures_and_tasks_lie_with_the_run(page: Any, mlflow_server: str, reviewed: Any) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(mlflow_server)
    named = {found.path for found in client.list_artifacts(reviewed[1], "review")}
    assert {f"review/{name}" for name in ("tasks.json", "annotations.xml", "annotations.json", "images")} <= named
    picture = client.list_artifacts(reviewed[1], "review/images")[0].path
    page.goto(f"{mlflow_server}/#/experiments/{reviewed[0]}/runs/{reviewed[1]}/artifacts/{picture}")
    page.locator("img").last.wait_for(timeout=PATIENT_MS)
    page.wait_for_function("[...document.images].some(one => one.naturalWidth === 336)", timeout=PATIENT_MS)
