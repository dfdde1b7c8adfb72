"""Simulated data for a run that names none: line-scan images, glasses in the dark-field rig, or a new product."""

from pathlib import Path
from typing import Literal

import yaml

Simulated = Literal["line-scan", "labels", "session", "product", "tool-mark", "benchmark"]

#: Annotated spots, and glasses, by size of the run.
SAMPLES = {"smoke": 240, "demo": 1200, "full": 6000}
GLASSES = {"smoke": 12, "demo": 40, "full": 200}
#: Glasses of a shift in which a tool is damaged.
SHIFT = {"smoke": 30, "demo": 75, "full": 300}

#: Data sets that are simulated for the benchmark.
BENCHMARK = ("line-scan", "glass", "tool-mark")

# The new product, and older ones, by how hard they are to inspect.
_PRODUCTS = {"new": "hard", "older": "standard", "oldest": "easy"}
# The list of what the new product may learn from. The line-scan camera's images have 8 bit.
_OLDER = [
    {"data": "../older", "data_format": "captures", "product": "older"},
    {"data": "../oldest", "data_format": "captures", "product": "oldest"},
    {"data": "../line-scan", "data_format": "coco", "product": "line-scan"},
]


def simulated_data(what: Simulated, preset: str, seed: int, out: Path) -> Path:
    """Return simulated data below `out`, made unless it is there already.

    Args:
        what: Line-scan images; clean captures with their truth as labels; a session of the dark-field rig, clean
            and marked captures beside the inspector's boxes; a new product, labelled captures beside a list of older
            products' sets; line-scan images of a shift in which a tool is damaged; or the sets of the benchmark.
        preset: Of the run; what comes after its last dash decides the size.
        seed: Same seed, same bytes.
        out: Folder of the run.
    """
    size = preset.rpartition("-")[2]
    if what == "line-scan":
        return _line_scan(SAMPLES[size], seed, out)
    if what == "tool-mark":
        return _tool_mark(SHIFT[size], seed, out)
    if what == "labels":
        return _glasses(GLASSES[size], seed, out, marked=False)
    if what == "benchmark":
        return _benchmark(size, seed, out)
    if what == "product":
        return _new_product(size, seed, out)
    return _glasses(GLASSES[size], seed, out, marked=True) / "captures"


def _line_scan(samples: int, seed: int, out: Path) -> Path:
    from hardware_ingest.line_scan.dataset import simulate_line_scan

    folder = out / "simulated" / f"line-scan-{samples}-seed-{seed}"
    if not folder.is_dir():  # written whole or not at all
        print(f"simulating {samples} line-scan samples", flush=True)
        simulate_line_scan(samples, seed, folder)
    return folder


def _tool_mark(glasses: int, seed: int, out: Path) -> Path:
    from hardware_ingest.line_scan.tool_mark import simulate_tool_mark

    folder = out / "simulated" / f"tool-mark-{glasses}-seed-{seed}"
    if not folder.is_dir():
        print(f"simulating {glasses} glasses", flush=True)
        simulate_tool_mark(glasses, seed, folder)
    return folder


def _glasses(glasses: int, seed: int, out: Path, marked: bool) -> Path:
    from hardware_ingest.dark_field.dataset import GlassSetSettings, simulate_glasses

    folder = out / "simulated" / f"glass-{glasses}-{'marked-' if marked else ''}seed-{seed}"
    if not folder.is_dir():
        print(f"simulating {glasses} glasses", flush=True)
        simulate_glasses(GlassSetSettings(glasses=glasses, seed=seed, marked=marked), folder)
    return folder


def _new_product(size: str, seed: int, out: Path) -> Path:
    """A new product that is harder to see, beside two older ones and another rig's images."""
    from glassline.data.source_list import LIST
    from glassline.data.storage import written_whole
    from hardware_ingest.dark_field.dataset import GlassSetSettings, simulate_glasses
    from hardware_ingest.line_scan.dataset import simulate_line_scan

    folder = out / "simulated" / f"product-{GLASSES[size]}-seed-{seed}"
    if not folder.is_dir():
        print(f"simulating a new product and three to learn from, {GLASSES[size]} glasses each", flush=True)
        with written_whole(folder) as beside:
            for number, (name, difficulty) in enumerate(_PRODUCTS.items()):
                glasses = GlassSetSettings(
                    glasses=GLASSES[size], seed=seed + number, difficulty=difficulty, marked=False, product=name
                )
                simulate_glasses(glasses, beside / name)
            simulate_line_scan(SAMPLES[size], seed + len(_PRODUCTS), beside / "line-scan")
            (beside / "new" / LIST).write_text(yaml.safe_dump(_OLDER, sort_keys=False))
    return folder / "new"


def _benchmark(size: str, seed: int, out: Path) -> Path:
    """Simulate the data sets of the benchmark, under the names that its catalogue has."""
    from glassline.data.storage import written_whole

    folder = out / "simulated" / f"benchmark-{size}-seed-{seed}"
    if not folder.is_dir():
        with written_whole(folder) as beside:
            made = (
                _line_scan(SAMPLES[size], seed, beside),
                _glasses(GLASSES[size], seed, beside, marked=False),
                _tool_mark(SHIFT[size], seed, beside),
            )
            for name, one in zip(BENCHMARK, made, strict=True):
                one.rename(beside / name)
            (beside / "simulated").rmdir()
    return folder
