"""Import of labelled images: whose product and cycle count."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from glassline import tracking
from glassline.data.captures.meta import ZoneRef
from glassline.data.captures.store import open_captures
from glassline.data.samples import SampleTable, read_samples
from glassline.steps.import_images import as_stated, import_images


@pytest.mark.parametrize("stated", [True, False])
def test_a_stated_product_is_that_of_images_without_one(tiles: Path, tmp_path: Path, stated: bool) -> None:
    import_images(str(tiles), "image-folder", "", "P7", "2026b", "plain", str(tmp_path / "t.parquet"), stated)
    rows = read_samples(tmp_path / "t.parquet", "images").rows
    assert (set(rows["product"]), set(rows["cycle"])) == ({"P7"}, {"2026b"})
    assert "named_product" not in rows


def _note(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line for line in capsys.readouterr().out.splitlines() if "without a label" in line]


@pytest.mark.parametrize("labelled", [1, 2])
def test_images_without_a_label_are_told(
    write_image: Callable[..., Path], tmp_path: Path, labelled: int, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(2):
        write_image(f"images/{number}.png", number)
    images = [{"id": n, "file_name": f"./{n}.png", "width": 40, "height": 30} for n in range(labelled)]
    (tmp_path / "coco.json").write_text(
        json.dumps({"images": images, "annotations": [], "categories": [{"id": 1, "name": "control"}]})
    )
    import_images(str(tmp_path), "coco", "", "P7", "2026b", "", str(tmp_path / "t.parquet"))
    told = _note(capsys)
    assert len(told) == 2 - labelled
    assert all(line.endswith(f"left out, of {tmp_path}: 1, images/1.png") for line in told)
    (run,) = tracking.client().search_runs(["1"], max_results=1)
    assert run.data.metrics["images_unlabelled"] == 2 - labelled


def test_clean_zones_without_a_label_are_told(
    write_labelled: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    captures = write_labelled(tmp_path / "captures", glasses=3, size_px=96)
    labels = json.loads((captures / "labels.json").read_text())
    dropped = labels["zones"].pop()
    refs = [ZoneRef(zone["glass"], "clean", zone["zone"]) for zone in labels["zones"]]
    labels["captures_hash"] = open_captures(captures).content_hash(refs)
    (captures / "labels.json").write_text(json.dumps(labels))
    import_images(str(captures), "captures", "", "P7", "2026b", "", str(tmp_path / "t.parquet"))
    (told,) = _note(capsys)
    assert told.endswith(f": 1, {ZoneRef(dropped['glass'], 'clean', dropped['zone']).path}")


def test_a_stated_product_wins_over_what_images_name(make_table: Callable[..., SampleTable]) -> None:
    rows = as_stated(make_table(["dent"] * 2, product=["P1", "P7"], cycle="a"), "P7", "b").rows
    assert (list(rows["product"]), list(rows["cycle"])) == (["P7", "P7"], ["b", "b"])
    assert (list(rows["named_product"]), set(rows["named_cycle"])) == (["P1", "P7"], {"a"})
