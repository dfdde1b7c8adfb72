"""Counts of weights and operations."""

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from glassline.bench.measured import Bench, Measured
from glassline.bench.record import Block
from glassline.models.registry import describe
from glassline.models.settings import DetectorSettings
from glassline.models.severity_detector import build_detector

_BLOCK_PX = 256


def unet(bench: Bench) -> Measured:
    """Count the weights of system C's network, nested and not, in millions."""
    nested, plain = describe("unet_nested"), describe("unet_plain")
    millions = {"nested": nested.parameters / 1e6, "plain": plain.parameters / 1e6}
    return Measured(
        {
            **millions, "difference": millions["plain"] - millions["nested"],
            "receptive field px": float(nested.receptive_field_px or 0), "GFLOP of a patch": nested.gflop,
        }
    )  # fmt: skip


def detector(bench: Bench) -> Measured:
    """List the convolutions of system E's detector, and count its weights and operations."""
    with torch.device("meta"):
        model = build_detector(DetectorSettings()).eval()
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            cells = model(torch.zeros(1, 1, _BLOCK_PX, _BLOCK_PX)).numel()
    convolutions = [one for one in model.modules() if isinstance(one, nn.Conv2d)]
    rows = tuple(
        (str(place), f"{one.kernel_size[0]} x {one.kernel_size[1]}", str(one.in_channels), str(one.out_channels))
        for place, one in enumerate(convolutions, 1)
    )
    values = {
        "convolutions as printed": len(convolutions), "pixels of the output": cells,
        "weights": sum(one.numel() for one in model.parameters()) / 1e6, "GFLOP": counter.get_total_flops() / 1e9,
    }  # fmt: skip
    return Measured(values, [Block(columns=("", "kernel", "from", "features"), rows=rows)])
