"""The step that measures affinity, with a tiny network: features, heads, gains."""

import json
from dataclasses import replace

import numpy as np
import pytest

from glassline.analysis.affinity import read_affinity
from glassline.data.samples import read_samples
from glassline.data.sources import Source, sources_of
from glassline.errors import DataError
from glassline.steps.measure_affinity import AFFINITY, FIGURE, GAIN_FIGURE, SAMPLES, measure_affinity
from glassline.training.transfer import load_base
from glassline.training.transfer_gain import with_contrast

TINY = {
    "backbone": {"network": "shufflenet_v2_x0_5", "weights": "random"}, "base_epochs": 1, "epochs": 1, "batch_size": 8,
    "threads": 1,
}  # fmt: skip


@pytest.fixture
def write_product(make_table, tmp_path):
    """Write the patches of a product, dents at a level of their own, in folds: write_product("A", 190) -> path."""

    def write(product, dent_level, clean_class="clean", count=24):
        generator, labels = np.random.default_rng(dent_level), ["clean", "dent"] * (count // 2)
        patches_NHW = np.stack([
            generator.normal(90 if label == "clean" else dent_level, 12, (112, 112)).clip(0, 255) for label in labels
        ]).astype(np.uint8)  # fmt: skip
        table = make_table(
            labels, patches_NHW=patches_NHW, classes=("clean", "dent"), name=product, product=product,
            fold=[number // 2 % 4 for number in range(count)],
        )  # fmt: skip
        path = tmp_path / f"{product}.parquet"
        replace(table, clean_class=clean_class).write(path)
        return str(path)

    return write


@pytest.fixture
def measure(write_product, tmp_path):
    def run(target, products=(("A", 190), ("B", 40)), **affinity):
        paths = [write_product(*product) for product in products]
        out = [str(tmp_path / name) for name in ("store", "affinity", "base")]
        return measure_affinity(paths, target, ["hash"], affinity, TINY, 0, *out)

    return run


def test_affinities_gains_and_base_are_written(measure, write_product, tmp_path, capsys):
    told = measure(write_product("T", 190), by="class", measure_gain=True, largest_inconsistency=9)
    affinity = read_affinity(tmp_path / "affinity" / AFFINITY)
    assert affinity.targets == ("T",)
    assert affinity.sources == ("A/clean", "A/dent", "B/clean", "B/dent")
    assert affinity.weight_ST.sum() == pytest.approx(1)
    assert json.loads((tmp_path / "affinity" / SAMPLES).read_text()) == dict.fromkeys(affinity.sources, 12)
    # A clean class alone teaches a base nothing.
    np.testing.assert_array_equal(np.isnan(affinity.gain_ST[:, 0]), [True, False, True, False])
    assert all((tmp_path / "affinity" / name).stat().st_size > 1000 for name in (FIGURE, GAIN_FIGURE))
    assert load_base(tmp_path / "base").sources == affinity.sources
    assert len(told) == 64
    printed = capsys.readouterr().out
    assert "no pretrained weights: it is first trained on all 4 sources together, 48 patches" in printed
    assert "cannot be learned alone, such as a clean class: ['A/clean', 'B/clean']" in printed


def test_measured_gains_are_not_measured_again(measure, write_product, tmp_path, monkeypatch):
    settings = {"by": "table", "measure_gain": True, "largest_inconsistency": 9}
    measure(write_product("T", 190), **settings)
    first = read_affinity(tmp_path / "affinity" / AFFINITY)
    monkeypatch.setattr("glassline.training.transfer.fine_tune", None)
    measure(write_product("T", 190), **settings)
    np.testing.assert_array_equal(read_affinity(tmp_path / "affinity" / AFFINITY).gain_ST, first.gain_ST)
    assert np.isfinite(first.gain_ST).all()


def test_the_targets_own_product_and_its_test_folds_are_not_looked_at(measure, write_product, tmp_path):
    path = write_product("T", 190)
    measure(path, (("A", 190), ("T", 190)), by="table")
    assert read_affinity(tmp_path / "affinity" / AFFINITY).sources == ("A",)
    before = (tmp_path / "affinity" / AFFINITY).read_bytes()
    table = read_samples(path, "patches")
    seen = ~table.rows["fold"].isin([0, 1])
    # What does not exist cannot be read.
    table.with_rows(table.rows.assign(shard=table.rows["shard"].where(seen, 999))).write(path)
    measure(path, by="table", largest_inconsistency=9)
    assert before != (tmp_path / "affinity" / AFFINITY).read_bytes()


@pytest.mark.parametrize(
    ("products", "clean_class", "match"),
    [
        ((("T", 190),), "clean", "sources of other products, got only those of T"),
        ((("A", 190),), "", "a target must have a clean class"),
    ],
)
def test_what_cannot_be_measured_is_refused(measure, write_product, tmp_path, products, clean_class, match):
    with pytest.raises(DataError, match=match):
        measure(write_product("T", 190, clean_class), products)
    assert not (tmp_path / "affinity").exists()


def test_a_source_of_one_class_is_told_apart_from_the_clean_class(write_product):
    table = read_samples(write_product("A", 190), "patches")
    clean, dent = sources_of([table])
    (whole,) = sources_of([table], "table")
    assert with_contrast(whole) == [whole]
    assert with_contrast(clean) == []
    source, contrast = with_contrast(dent)
    assert (source, contrast.name) == (dent, "A/clean")
    np.testing.assert_array_equal(contrast.rows_N, clean.rows_N)
    assert with_contrast(Source("A/dent", replace(table, clean_class=""), dent.rows_N)) == []
