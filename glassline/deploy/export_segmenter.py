"""Export a fitted segmentation network as a bundle: sigmas of the noise in, scores out, of any batch and size.

Shapes: B tiles, S light states, H x W pixels, q the block's edge.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from glassline.data.storage import written_whole
from glassline.deploy.bundle import Manifest, load_bundle, write_bundle
from glassline.deploy.card import segmenter_card
from glassline.deploy.export import TOLERANCE, check_parity, onnx_graph
from glassline.deploy.segmenter import Segmenter, SegmenterSettings
from glassline.models.unet import DEEPEST, Block
from glassline.training.fitted_segmenter import FittedSegmenter, ScoreGraph
from glassline.vision.light_states import Real
from glassline.vision.scratches import FindSettings
from glassline.vision.tiles import TileSettings

_LARGEST_BATCH, _LARGEST_STEPS = 256, 1024


class _OneConvolution(nn.Module):
    """A block as one convolution: its 1 x 1 shortcut is the middle of a 3 x 3 kernel. Takes a sixth off the time."""

    def __init__(self, block: Block) -> None:
        super().__init__()
        self.block = block

    def forward(self, x_BCHW: Tensor) -> Tensor:
        middle = functional.pad(self.block.shortcut.weight, (1, 1, 1, 1))
        convolved = functional.conv2d(x_BCHW, self.block.kernel() + middle, self.block.bias, padding=1)
        return functional.elu(convolved)


def segmenter_to_onnx(fitted: FittedSegmenter) -> bytes:
    """Return the ONNX graph: input `sigmas` (B, S, H, W) float32, output `score` (B, H / q, W / q) in [0, 1].

    H and W are multiples of 32 q. Space to depth, the logarithm of the sigmas and the score are inside.
    """
    step_px = DEEPEST * fitted.settings.unet.block_px
    batch = torch.export.Dim("batch", min=1, max=_LARGEST_BATCH)
    down, across = (torch.export.Dim(name, min=1, max=_LARGEST_STEPS) for name in ("down", "across"))
    shapes = {"sigmas": {0: batch, 2: step_px * down, 3: step_px * across}}
    example = torch.zeros(2, _states(fitted), 2 * step_px, 3 * step_px)
    model = copy.deepcopy(fitted.model)
    for name, part in list(model.named_modules()):
        if isinstance(part, Block):
            model.set_submodule(name, _OneConvolution(part))
    return onnx_graph(ScoreGraph(replace(fitted, model=model)), (example,), shapes, ["score"])


def export_bundle(
    fitted: FittedSegmenter, path: str | Path, sigmas: Sequence[Real], tiles: TileSettings, find: FindSettings,
    data_hash: str, code_version: str, metrics: Mapping[str, float],
) -> Manifest:  # fmt: skip
    """Write a bundle of system C, unless the runtime that will run it disagrees with torch.

    Args:
        fitted: The network.
        path: The zip to write.
        sigmas: Real tiles (B, S, H, W) that parity is checked on, H and W multiples of 32 q; one shape each or several.
        tiles: How zones are cut.
        find: Thresholds; editable in the bundle.
        data_hash: Content hash of the training samples.
        code_version: Git commit of the code.
        metrics: Figures on glasses that the network never saw.

    Raises:
        ModelError: A score differs by more than the tolerance.
    """
    settings, of = fitted.settings, fitted.format
    told = SegmenterSettings(
        format=of, tiles=tiles, block_px=settings.unet.block_px, direction_blind=settings.direction_blind
    )
    manifest = Manifest(
        system="C", model=settings.unet.network, classes=settings.labels, clean_class="",
        input_px=(tiles.tile_px, tiles.tile_px), bit_depth=of.bit_depth, channels=of.states, pitch_um=of.pitch_um,
        attributes=(), preprocessing=told.model_dump(mode="json"), data_hash=data_hash, code_version=code_version,
        metrics=dict(metrics), parity={}, sha256={},
    )  # fmt: skip
    graph, thresholds = segmenter_to_onnx(fitted), find.model_dump(mode="json")
    with written_whole(path) as beside:
        # The gate reads the very graph that is handed out: written, loaded, run, and only then kept.
        write_bundle(beside, manifest, {"model.onnx": graph, "card.md": b""}, thresholds)
        manifest = manifest.model_copy(update={"parity": _parity(fitted, beside, sigmas)})
        card = segmenter_card(manifest, len(sigmas), find)
        return write_bundle(beside, manifest, {"model.onnx": graph, "card.md": card.encode()}, thresholds)


def _parity(fitted: FittedSegmenter, path: Path, sigmas: Sequence[Real]) -> dict[str, float]:
    """Return the largest differences of a score from torch: in float32, within the tolerance, and in bfloat16."""
    graph, bundle = ScoreGraph(fitted).eval(), load_bundle(path)
    with torch.inference_mode():
        expected = [graph(torch.from_numpy(np.ascontiguousarray(tile_BSHW))).numpy() for tile_BSHW in sigmas]
    exact = Segmenter(bundle)
    worst = max(
        check_parity(score_Bhw, exact.run(tile_BSHW), runtime=exact.runtime)
        for score_Bhw, tile_BSHW in zip(expected, sigmas, strict=True)
    )
    parity = {"largest_difference": worst, "tolerance": TOLERANCE}
    if exact.runtime == "openvino":
        coarse = Segmenter(bundle, precision="bf16")
        parity["bf16_largest_difference"] = max(
            float(np.abs(score_Bhw - coarse.run(tile_BSHW)).max())
            for score_Bhw, tile_BSHW in zip(expected, sigmas, strict=True)
        )
    return parity


def _states(fitted: FittedSegmenter) -> int:
    return 1 if fitted.settings.direction_blind else fitted.format.states
