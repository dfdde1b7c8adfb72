"""The severity detector against the paper's tables."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from glassline.models.settings import HALO_PX
from glassline.models.severity_detector import SeverityDetector


def test_severity_detector_has_the_published_size():
    model = SeverityDetector(1, 4).eval()
    assert sum(one.numel() for one in model.parameters()) == pytest.approx(0.385e6, rel=0.01)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(torch.zeros(1, 1, 256, 256))
    assert counter.get_total_flops() == pytest.approx(3.66e9, rel=0.01)


@pytest.mark.parametrize(("cell_px", "edge"), [(4, 64), (2, 128), (1, 256)])
@pytest.mark.parametrize("channels", [1, 3])
def test_severity_detector_gives_one_severity_per_cell(cell_px, edge, channels):
    with torch.no_grad():
        assert SeverityDetector(channels, cell_px).eval()(torch.zeros(1, channels, 256, 256)).shape == (1, edge, edge)


@pytest.mark.parametrize("cell_px", [4, 2, 1])
def test_severity_detector_looks_no_further_than_its_halo(cell_px):
    torch.manual_seed(0)
    model = SeverityDetector(1, cell_px).double().eval()
    image = torch.randn(1, 1, 256, 256, dtype=torch.float64, requires_grad=True)
    cell = 128 // cell_px
    model(image)[0, cell, cell].backward()
    seen = image.grad[0, 0].nonzero()
    reach = max(128 - int(seen.min()), int(seen.max()) - (128 + cell_px - 1))
    assert HALO_PX[cell_px] - cell_px < reach <= HALO_PX[cell_px]
