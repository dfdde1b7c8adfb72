"""The data sets of the transfer benchmarks as tables of patches: three public ones, cracks, and simulated glasses."""

from pathlib import Path

from cfd import mask_folder

from glassline.data.importers import read_source
from glassline.data.samples import SampleTable
from glassline.vision.candidates import phone_screen_candidates
from glassline.vision.cut_patches import CutSettings, cut_patches
from glassline.vision.patches import ExtractSettings
from hardware_ingest.line_scan.dataset import simulate_line_scan

SETS = ("dagm", "cfd", "tile", "phone", "line-scan")
#: Annotated spots of the simulated glasses, and their seed.
SPOTS, SIMULATED_SEED = 600, 7

_PHONE = ExtractSettings(candidates=phone_screen_candidates(), systematic=True)
_CUTS = {
    "dagm": CutSettings(),
    # Cracks and tiles are small beside those of textures.
    "cfd": CutSettings(window_px=96, step_px=64, clean_per_image=8),
    "tile": CutSettings(window_px=96, step_px=96, clean_per_image=1),
    "phone": CutSettings(extract=_PHONE),
    "line-scan": CutSettings(window_px=112, step_px=112, clean_per_image=12),
}


def images_of(name: str, data: Path, store: Path) -> SampleTable:
    """Return the table of images of a set.

    Args:
        name: One of SETS.
        data: Folder of the public sets.
        store: Folder for what is made of them.
    """
    if name == "dagm":
        return read_source(data / "dagm2007_class1", "dagm", product=name)
    if name == "cfd":
        table = mask_folder(data / "cfd", store / "cfd")
        return table.with_rows(table.rows.assign(product=name))
    if name == "tile":
        return read_source(data / "magnetic_tile", "mask-folder", product=name)
    if name == "phone":
        return read_source(data / "phone_screen", "image-folder", product=name)
    folder = store / f"line-scan-{SPOTS}"
    if not folder.is_dir():
        simulate_line_scan(SPOTS, SIMULATED_SEED, folder)
    table = read_source(folder, "coco")
    return table.with_rows(table.rows.assign(product=name))


def cut_of(name: str) -> CutSettings:
    """Return how the images of a set are cut."""
    return _CUTS[name]


def patches_of(name: str, data: Path, store: Path) -> SampleTable:
    """Return the table of patches of a set; see `images_of`."""
    return cut_patches(images_of(name, data, store), store, cut_of(name), lambda done, total: None)[0]
