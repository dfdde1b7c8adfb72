"""Run the severity detector of a bundle: OpenVINO where it is installed, else ONNX Runtime; needs no torch.

Shapes: H x W pixels, R x C cells of q x q px, N windows of w x w px, K classes.
"""

from pathlib import Path
from typing import Literal

from glassline.data.image_windows import ImageWindows, open_image
from glassline.data.images import DepthWindow
from glassline.deploy.bundle import Bundle
from glassline.deploy.graphs import Device, RunGraph, open_graph
from glassline.deploy.thresholds import bundle_thresholds
from glassline.errors import DataError, ModelError
from glassline.settings import Settings
from glassline.vision.cell_tiles import CellTileSettings, Image, Severity, score_cells
from glassline.vision.defects import Defect, DefectSettings, find_defects

#: Arithmetic of the detector: `int8` runs the graph that was quantised on export, bf16 is OpenVINO's.
DetectorPrecision = Literal["f32", "bf16", "int8"]

#: Graphs of a bundle.
GRAPH, GRAPH_INT8, GRAPH_TYPES = "model.onnx", "model_int8.onnx", "types.onnx"


class DetectorPreprocessing(Settings):
    """What runs before the graphs: `preprocessing` of the manifest."""

    cell_px: Literal[1, 2, 4]
    colour: bool
    depth_window: DepthWindow | None
    tiles: CellTileSettings
    window_px: int | None


class Detector:
    """What finds defects, from a bundle."""

    def __init__(
        self, bundle: Bundle, threads: int = 0, precision: DetectorPrecision = "f32", runtime: str = "",
        device: Device = "cpu",
    ) -> None:  # fmt: skip
        """Open the graphs.

        Args:
            bundle: A loaded bundle of system E.
            threads: Threads of the runtime; 0 lets it choose.
            precision: Of the arithmetic; what bf16 and int8 cost is in the bundle's manifest under `parity`.
            runtime: `openvino` or `onnxruntime`; "" takes the first that is installed and has the device.
            device: Where it runs.

        Raises:
            ModelError: The bundle is of another system, lacks the graph of this precision, or no runtime reads it.
            SettingsError: `thresholds.yaml` lacks a threshold, or one is out of range.
        """
        manifest = bundle.manifest
        if manifest.system != "E":
            raise ModelError(
                f"the bundle must hold a severity detector (system E), got {manifest.model} of system "
                f"{manifest.system}; give another bundle"
            )
        told = DetectorPreprocessing.parse(manifest.preprocessing)
        self.cell_px, self.colour, self.depth_window, self.tiles = (
            told.cell_px, told.colour, told.depth_window, told.tiles,
        )  # fmt: skip
        self.find = bundle_thresholds(bundle, DefectSettings)
        self.classes, self.clean_class, self.window_px = manifest.classes, manifest.clean_class, told.window_px
        self.bundle_hash, self.model, self.pitch_um = bundle.content_hash, manifest.model, manifest.pitch_um
        name = GRAPH_INT8 if precision == "int8" else GRAPH
        if name not in bundle.files:
            raise ModelError(
                f"int8 needs {name} in the bundle, got {sorted(bundle.files)}; export it again, or use bf16"
            )
        coarse: Literal["f32", "bf16"] = "bf16" if precision == "bf16" else "f32"
        self.runtime, self.run = open_graph(bundle.files[name], threads, coarse, runtime, True, device)
        self.precision = "f32" if self.runtime == "onnxruntime" and precision == "bf16" else precision
        #: From windows (N, w, w) or (N, w, w, 3), uint8, to probabilities (N, K); None without a classifier.
        self.run_types: RunGraph | None = None
        if GRAPH_TYPES in bundle.files:
            self.run_types = open_graph(bundle.files[GRAPH_TYPES], threads, "f32", runtime, device=device)[1]

    def open(self, path: str | Path) -> ImageWindows:
        """Open an image file as this detector looks at it; a grey one turns colour into grey (ITU-R BT.601).

        Raises:
            DataError: It cannot be read, is grey where colour is looked at, or has more than 8 bit and the bundle no
                window for that; names it.
        """
        return open_image(path, self.colour, self.depth_window)

    def score(self, image: Image | ImageWindows) -> Severity:
        """Return the severity of each cell (R, C), 0 to 12, R = ceil(H / q) and C = ceil(W / q).

        Args:
            image: uint8 (H, W), or red, green and blue (H, W, 3) where the detector looks at colour.

        Raises:
            DataError: The array is of another kind.
        """
        if isinstance(image, ImageWindows):
            return score_cells(image.read, image.size_px, self.cell_px, self.run, self.tiles)
        self._check(image)
        size_px = image.shape[0], image.shape[1]
        return score_cells(lambda window: image[window.pixels], size_px, self.cell_px, self.run, self.tiles)

    def defects(self, severity_RC: Severity, size_px: tuple[int, int]) -> list[Defect]:
        """Return the defects of a scored image of H x W px, the most severe first, as the bundle's thresholds say."""
        return find_defects(severity_RC, self.cell_px, size_px, self.find)

    def _check(self, image: Image) -> None:
        wanted = "red, green and blue (H, W, 3)" if self.colour else "grey (H, W)"
        if image.dtype != "uint8" or image.ndim != (3 if self.colour else 2) or image.shape[2:] not in ((), (3,)):
            raise DataError(
                f"this detector looks at {wanted} of 8 bit, got {image.dtype} {image.shape}; convert it, or open the "
                "file with Detector.open"
            )
        if not image.size:
            raise DataError(f"an image must have at least 1 x 1 px, got {image.shape[1]} x {image.shape[0]}; check it")
