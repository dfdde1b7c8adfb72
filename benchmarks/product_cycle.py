"""What an older product is worth to a new one: its champion as it is, from scratch, warm start, sources chosen first.

    python benchmarks/product_cycle.py --out runs/product-cycle --draws 5

Product 1 has plenty of simulated line-scan data, product 2 is another glass under less light whose marks are smaller,
fainter and elsewhere. A draw takes other labelled patches of product 2 and another seed of training; all are tested on
the same held-out glasses of product 2. Sources are product 1, a product that is like the new one (`alike`), and one
whose labels are mixed up (`mixed`); the budget pays for one of the three. A killed run goes on.
"""

import hashlib
import json
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer
from product_cycle_report import write_report

from glassline.analysis.affinity import AffinitySettings
from glassline.analysis.heads import draw_rows
from glassline.analysis.source_selection import SelectionSettings, select_sources
from glassline.data.balanced import draw_per_class
from glassline.data.importers import read_source
from glassline.data.pooled_table import pool_sources
from glassline.data.samples import SampleTable, read_samples
from glassline.data.sources import Source, sources_of
from glassline.data.splits import assign_folds
from glassline.data.storage import code_hash, written_whole
from glassline.data.store import open_store
from glassline.errors import DataError
from glassline.models.settings import BackboneSettings
from glassline.training.fitted import Fitted, load_fitted, predict, save_fitted
from glassline.training.loop import fit_model
from glassline.training.methods import for_few_rows
from glassline.training.settings import TrainingSettings, TransferSettings
from glassline.training.source_affinity import measured_affinity
from glassline.training.transfer import FittedBase, kept_base
from glassline.training.warm_start import WarmStart
from glassline.vision.patches import ExtractSettings, extract_patches
from hardware_ingest.line_scan.dataset import simulate_line_scan
from hardware_ingest.line_scan.settings import LineScanSettings, second_product

_FIRST_SEED, _SECOND_SEED, _ALIKE_SEED, _MIXED_SEED = 100, 200, 300, 400
_PARTS = 2  # of product 2's glasses: one is drawn from, the other is tested on
_BASE = TransferSettings(
    backbone=BackboneSettings(network="timm/test_resnet.r160_in1k", weights="random"), base_epochs=3
)  # fmt: skip


def _quiet(*told: Any) -> None:
    return None


def _table(name: str, glasses: LineScanSettings, marks: int, seed: int, out: Path) -> SampleTable:
    """Return the candidates of a simulated product."""
    path = out / f"{name}.parquet"
    if not path.is_file():
        if not (out / name).is_dir():
            simulate_line_scan(marks, seed, out / name, glasses.model_copy(update={"product": name}))
        images = read_source(out / name, "coco")
        patches, _ = extract_patches(images, out / "store", ExtractSettings(), _quiet)
        patches.write(path)
    return read_samples(path, "patches")


def _mixed_up(table: SampleTable) -> SampleTable:
    order_N = np.random.default_rng(_MIXED_SEED).permutation(len(table.rows))
    return table.with_rows(table.rows.assign(label=table.rows["label"].to_numpy()[order_N]))


class Cycle:
    """Products, how models are trained, and where what is done is kept."""

    def __init__(self, model: str, marks: int, settings: TrainingSettings, out: Path) -> None:
        """Simulate the products."""
        self.model, self.settings, self.out = model, settings, out
        told = json.dumps([model, marks, settings.model_dump(), code_hash("models", "training")])
        self.key = hashlib.sha256(told.encode()).hexdigest()[:12]
        self.store = open_store(out / "fits" / self.key)
        self.first = _table("first", LineScanSettings(), marks, _FIRST_SEED, out)
        self.second = assign_folds(_table("second", second_product(), 3 * marks, _SECOND_SEED, out), _PARTS, 0)
        alike = second_product().model_copy(update={"light": 0.85, "grain": 3.0})
        self.sources = sources_of([
            self.first, _table("alike", alike, marks, _ALIKE_SEED, out),
            _mixed_up(_table("mixed", second_product(), marks, _MIXED_SEED, out)),
        ], "table")  # fmt: skip
        self.drawn_from_N = np.flatnonzero(self.second.rows["fold"] == 0)
        self.test_N = np.flatnonzero(self.second.rows["fold"] != 0)

    def fit(self, name: str, table: SampleTable, rows_N: Any, seed: int, start: WarmStart | None) -> Fitted:
        """Return a fit that the store knows, or make it."""

        def make(folder: Path) -> None:
            settings = for_few_rows(self.settings, len(rows_N))
            below = self.store.below("checkpoints")
            save_fitted(
                fit_model(self.model, table, rows_N, rows_N[:0], settings, seed, below, _quiet, start=start), folder
            )

        return load_fitted(self.store.made(name, make).whole())

    def figures(self, fitted: Fitted) -> dict[str, float]:
        """Return accuracy and false-negative rate on the held-out glasses of product 2."""
        probability_NC = predict(fitted, self.second, self.test_N)
        actual_N = self.second.rows["label"].to_numpy()[self.test_N]
        predicted_N = np.asarray(fitted.classes)[probability_NC.argmax(1)]
        defective_N = actual_N != self.second.clean_class
        missed = float((predicted_N[defective_N] == fitted.clean_class).mean())
        return {"accuracy": float((predicted_N == actual_N).mean()), "fn_rate": missed}

    def chosen(self, few_N: Any, seed: int, budget: int, base: FittedBase) -> list[Source]:
        """Return the sources of the highest affinity for some labelled patches; all compared alike where they tie."""
        settings = AffinitySettings(by="table")
        affinity = measured_affinity(base, self.sources, self.second, few_N, settings, seed, _quiet)
        picked = select_sources(affinity, [len(one) for one in self.sources], SelectionSettings(budget=budget))
        return [one for one in self.sources if one.name in picked.sources]


def _arms(
    cycle: Cycle, champion: WarmStart, base: FittedBase, number: int, draw: int, budget: int
) -> list[dict[str, Any]]:
    """Return a row per arm of one draw of so many labelled patches a class."""
    few_N = draw_per_class(cycle.second, cycle.drawn_from_N, number, draw)
    table, told = cycle.second, {"per_class": number, "draw": draw, "patches": len(few_N)}
    rows = [{**told, "arm": "champion untouched", **cycle.figures(champion.fitted)}]
    for arm, start in (("scratch", None), ("warm start", champion)):
        fitted = cycle.fit(f"{arm}-{number}-{draw}".replace(" ", "-"), table, few_N, draw, start)
        rows.append({**told, "arm": arm, **cycle.figures(fitted)})
    try:
        chosen = cycle.chosen(few_N, draw, budget, base)
    except DataError as error:  # too few labelled patches to compare by
        print(f"no choice of {number} a class, draw {draw}: {error}", flush=True)
        return rows
    names = [one.name for one in chosen]
    pool = pool_sources(chosen, table, cycle.store)
    learnt = cycle.fit(f"on-{'-'.join(names)}", pool, np.arange(len(pool.rows)), 0, champion)
    start = WarmStart(", ".join(names), learnt)
    fitted = cycle.fit(f"sources-{number}-{draw}", table, few_N, draw, start)
    rows.append({**told, "arm": "warm start + Dataonomy", "sources": names, **cycle.figures(fitted)})
    return rows


def main(
    out: Annotated[Path, typer.Option(help="folder for data, fits and results; a killed run goes on")],
    model: Annotated[str, typer.Option(help="model, as in `glassline models`")] = "ensemble_fusion",
    draws: Annotated[int, typer.Option(min=2)] = 5,
    per_class: Annotated[list[int] | None, typer.Option(help="labelled patches a class, repeatable")] = None,
    marks: Annotated[int, typer.Option(min=120, help="marks of product 1 and of each source")] = 1200,
    epochs: Annotated[int, typer.Option(min=1)] = 8,
    threads: Annotated[int, typer.Option(min=0)] = 0,
) -> None:
    """Draw, train, test, and write a result for the page and a figure."""
    settings = TrainingSettings.parse({
        "cnn": {"filters": 8, "pool_px": 4}, "epochs": epochs, "batch_size": 32, "class_weights": "root",
        "threads": threads,
    })  # fmt: skip
    cycle = Cycle(model, marks, settings, out)
    champion = WarmStart("the champion", cycle.fit("champion", cycle.first, np.arange(len(cycle.first.rows)), 0, None))
    few = [replace(one, rows_N=draw_rows(one, 600, 0)) for one in cycle.sources]
    base = kept_base(few, _BASE, 0, cycle.store, _quiet)
    sizes = sorted(len(one) for one in cycle.sources)
    rows = []
    for number in per_class or [10, 30, 100, 300]:
        for draw in range(draws):
            place = out / f"draw-{cycle.key}-{number}-{draw}.json"
            if not place.is_file():
                told = _arms(cycle, champion, base, number, draw, sizes[-1])
                with written_whole(place) as beside:
                    beside.write_text(json.dumps(told))
            rows += json.loads(place.read_text())
            print(f"draw {draw}, {number} a class done", flush=True)
    command = shlex.join(["python", "benchmarks/product_cycle.py", *sys.argv[1:]])
    write_report(pd.DataFrame(rows), model, len(cycle.test_N), command, out)


if __name__ == "__main__":
    typer.run(main)
