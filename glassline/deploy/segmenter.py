"""Run the segmentation network of a bundle: OpenVINO where it is installed, else ONNX Runtime; needs no torch.

Shapes: B tiles, S light states, H x W pixels.
"""

from typing import Literal

from glassline.data.captures.meta import ZoneMeta, ZoneRef
from glassline.data.captures.store import Captures, Frames
from glassline.data.captures.zone_format import ZoneFormat
from glassline.deploy.bundle import Bundle
from glassline.deploy.graphs import Device, Precision, open_graph
from glassline.deploy.thresholds import bundle_thresholds
from glassline.errors import ModelError
from glassline.settings import Settings
from glassline.vision.scratches import FindSettings
from glassline.vision.tiles import TileSettings, ZoneScores, score_zone


class SegmenterSettings(Settings):
    """What runs before the graph: `preprocessing` of the manifest."""

    format: ZoneFormat
    tiles: TileSettings
    block_px: Literal[1, 2]
    direction_blind: bool


class Segmenter:
    """What finds scratches, from a bundle."""

    def __init__(
        self, bundle: Bundle, threads: int = 0, precision: Precision = "f32", runtime: str = "", device: Device = "cpu"
    ) -> None:
        """Open the graph.

        Args:
            bundle: A loaded bundle of system C.
            threads: Threads of the runtime; 0 lets it choose.
            precision: Of OpenVINO's arithmetic; what bf16 costs is in the bundle's manifest under `parity`.
            runtime: `openvino` or `onnxruntime`; "" takes the first that is installed and has the device.
            device: Where it runs.

        Raises:
            ModelError: The bundle is of another system, or no runtime reads its graph.
            SettingsError: `thresholds.yaml` lacks a threshold, or one is out of range.
        """
        if bundle.manifest.system != "C":
            raise ModelError(
                f"the bundle must hold a segmentation network (system C), got {bundle.manifest.model} of system "
                f"{bundle.manifest.system}; give another bundle"
            )
        told = SegmenterSettings.parse(bundle.manifest.preprocessing)
        self.format, self.tiles = told.format, told.tiles
        self.block_px, self.direction_blind = told.block_px, told.direction_blind
        self.label = bundle.manifest.classes[0]
        self.find = bundle_thresholds(bundle, FindSettings)
        self.bundle_hash = bundle.content_hash
        self.model, self.precision = bundle.manifest.model, precision
        self.runtime, self.run = open_graph(bundle.files["model.onnx"], threads, precision, runtime, device=device)

    def read(self, captures: Captures, ref: ZoneRef) -> tuple[ZoneMeta, Frames]:
        """Return how a zone was taken, and its frames in the order of the model's light states.

        Raises:
            DataError: The zone is missing, damaged, or of another format than the model's; names it.
        """
        meta = captures.meta(ref)
        order = self.format.order(meta)
        return meta, captures.read(ref)[order]

    def score_frames(self, frames_SHW: Frames, pitch_um: float) -> ZoneScores:
        """Score the frames of a zone, in the order of the model's light states."""
        return score_zone(
            lambda tile: frames_SHW[:, *tile.pixels], (frames_SHW.shape[1], frames_SHW.shape[2]),
            self.format, self.run, self.tiles, self.block_px, self.direction_blind, pitch_um,
        )  # fmt: skip
