"""How long the severity detector takes for a batch of blocks: Table 8 of system E."""

import time
from typing import TYPE_CHECKING

from glassline.bench.measured import Bench, Measured
from glassline.models.settings import DetectorSettings

if TYPE_CHECKING:
    import torch

BLOCK_PX = 256
#: Columns of the table: whether it reads colour, edge of a cell.
KINDS = {"grey 4x4": (False, 4), "colour 4x4": (True, 4), "colour 2x2": (True, 2)}
BATCHES = (8, 16, 32, 64)


def detector_batches(bench: Bench) -> Measured:
    """Measure the milliseconds of every batch, the median of some runs; smoke takes the smallest grey one."""
    import torch

    from glassline.models.severity_detector import build_detector

    device = "cuda" if torch.cuda.is_available() else "cpu"
    if bench.threads:
        torch.set_num_threads(bench.threads)
    kinds = dict(list(KINDS.items())[: bench.sized(1, 1, 3)])
    batches = BATCHES[: bench.sized(1, 2, 4)]
    values = {}
    for kind, (colour, cell_px) in kinds.items():
        model = build_detector(DetectorSettings.parse({"colour": colour, "cell_px": cell_px})).eval().to(device)
        model = model.half() if device == "cuda" else model
        for batch in batches:
            image_BDHW = torch.zeros(batch, 3 if colour else 1, BLOCK_PX, BLOCK_PX, device=device)
            image_BDHW = image_BDHW.half() if device == "cuda" else image_BDHW
            values[f"{kind}, {batch}"] = _median_ms(model, image_BDHW, bench.sized(1, 3, 7))
    return Measured(values)


def _median_ms(model: "torch.nn.Module", image_BDHW: "torch.Tensor", times: int) -> float:
    """Return the median of some runs after one that does not count."""
    import torch

    taken = []
    with torch.inference_mode():
        for _ in range(times + 1):
            began = time.perf_counter()
            model(image_BDHW)
            if image_BDHW.is_cuda:
                torch.cuda.synchronize()
            taken.append((time.perf_counter() - began) * 1e3)
    return float(torch.tensor(taken[1:]).median())
