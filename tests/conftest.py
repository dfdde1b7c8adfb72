"""Small images on disk, the real data sets where they are, the command line, and a browser."""

import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from pycocotools import mask as coco_mask

from glassline.data.annotations.boxes import AnnotatedImage, Annotations, Box
from glassline.data.annotations.coco import write_coco_file
from glassline.data.captures.meta import ZoneMeta
from glassline.data.captures.store import open_captures
from glassline.data.captures.zone_list import write_zone_list
from glassline.data.labels import LabelledObject, Labels, ZoneLabels, read_labels
from glassline.data.location import open_location
from glassline.data.samples import SampleTable
from glassline.data.shards import ShardWriter
from glassline.data.store.scratch import scratch
from glassline.vision.annotated_images import AnnotatedImages

MakeTable = Callable[..., SampleTable]
Glassline = Callable[..., subprocess.CompletedProcess[str]]
_QUIET = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
]  # fmt: skip


@pytest.fixture
def shared_data() -> Path:
    """The folder of real data sets; absent is an error in CI and a skip elsewhere."""
    default = Path(__file__).resolve().parents[1].parent / "shared" / "data"
    folder = Path(os.environ.get("GLASSLINE_DATA", default))
    if not folder.is_dir():
        message = f"real data must lie in {folder}; set GLASSLINE_DATA"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return folder


@pytest.fixture
def write_image(tmp_path: Path) -> Callable[..., Path]:
    """Write an image of its own content: write_image("a/b.png", seed=3, width=40, height=30)."""

    def write(name: str, seed: int = 0, width: int = 40, height: int = 30, pixels: np.ndarray | None = None) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if pixels is None:
            pixels = np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)
        assert cv2.imwrite(str(path), pixels)
        return path

    return write


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    from moto.moto_server.threaded_moto_server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Point the environment at the server and return `s3://BUCKET` of a bucket of its own."""
    for name, value in {
        "AWS_ACCESS_KEY_ID": "KEY", "AWS_SECRET_ACCESS_KEY": "hidden-secret", "AWS_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL": s3_endpoint,
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    for name in ("FIRST_S", "KNOWN_S"):  # one try is enough of a server that a test takes away
        monkeypatch.setattr(f"glassline.data.location.s3_patience.{name}", 0)
    from glassline.data.location.s3_client import transfers

    bucket = f"b-{uuid.uuid4().hex[:12]}"
    transfers().create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    return f"s3://{bucket}"


@pytest.fixture(params=["folder", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return a folder, and once more an S3 prefix: what is told of one holds of the other."""
    return str(tmp_path / "place") if request.param == "folder" else f"{request.getfixturevalue('s3')}/line/1"


@pytest.fixture
def send() -> Callable[[Path, str], str]:
    """Copy a folder to a folder or S3 prefix, and return that: send(folder, place)."""

    def copy(folder: Path, place: str) -> str:
        target = open_location(place)
        for entry in open_location(folder).entries():
            target.upload(folder / entry.name, entry.name)
        return place

    return copy


@pytest.fixture
def elsewhere() -> Callable[[], None]:
    """Forget what this process fetched, as if it went on on another machine: elsewhere()."""
    return scratch.cache_clear


@pytest.fixture(scope="session")
def glassline() -> Glassline:
    """Run `glassline …` in a process of its own; MLflow lies where the run says."""

    def call(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
        mlflow = {"MLFLOW_TRACKING_URI", "MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID"}
        inherited = {name: value for name, value in os.environ.items() if name not in mlflow}
        return subprocess.run(
            [sys.executable, "-m", "glassline_cli", *map(str, words)],
            capture_output=True, text=True, timeout=900, env={**inherited, **environment},
        )  # fmt: skip

    return call


@pytest.fixture(scope="session")
def tiles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small folder of images by class: dark spots on grey, bright spots, and plain glass."""
    root = tmp_path_factory.mktemp("tiles")
    generator = np.random.default_rng(0)
    for name, level in (("bright", 70), ("dark", -70), ("plain", 0)):
        (root / name).mkdir()
        for number in range(6):
            grey_HW = generator.normal(120, 4, (160, 200))
            x_px, y_px = generator.integers(40, 120, 2)
            grey_HW[y_px : y_px + 12, x_px : x_px + 12] += level
            cv2.imwrite(str(root / name / f"{number}.png"), grey_HW.clip(0, 255).astype(np.uint8))
    return root


@pytest.fixture(scope="session")
def write_labelled() -> Callable[..., Path]:
    """Write captures and their labels into a folder: glass n has one zone with a spot of class n % 3, the last none."""

    def write(folder: Path, glasses: int = 9, size_px: int = 160, seed: int = 0) -> Path:
        captures, generator = open_captures(folder), np.random.default_rng(seed)
        zones = []
        for number in range(glasses):
            label = ("scratch", "dent", "control")[number % 3]
            mark_HW = np.zeros((size_px, size_px), np.uint8)
            x_px, y_px = (int(value) for value in generator.integers(30, size_px - 60, 2))
            width_px, height_px = {"scratch": (24, 4), "dent": (12, 12), "control": (0, 0)}[label]
            mark_HW[y_px : y_px + height_px, x_px : x_px + width_px] = 1
            frames_SHW = generator.integers(90, 111, (2, size_px, size_px), dtype=np.uint16)
            frames_SHW += (mark_HW * np.array([600, 2400])[:, None, None]).astype(np.uint16)
            meta = ZoneMeta(
                product="P1", cycle="2026a", glass=f"G{number:04d}", kind="clean", zone=0, stage_x_mm=5.0,
                stage_y_mm=10.0, exposure_us=(900, 900), gain_db=0, azimuths_deg=(0, 90), camera_model="simulated",
                camera_serial="1", pattern="GRBG", bit_depth=12, pitch_um=10, overlap_px=0,
                taken_utc="2026-01-02T03:04:05Z",
            )  # fmt: skip
            captures.write(meta, frames_SHW)
            objects = () if label == "control" else (_labelled(label, mark_HW),)
            zones.append(ZoneLabels(glass=meta.glass, zone=0, width_px=size_px, height_px=size_px, objects=objects))
        content = captures.content_hash([zone.ref for zone in zones])
        classes = ("scratch", "dent", "control")
        Labels(captures=".", captures_hash=content, classes=classes, zones=tuple(zones)).write(folder / "labels.json")
        return folder

    return write


@pytest.fixture(scope="session")
def rig_session(write_labelled: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small session of the rig: captures of 24 glasses, and beside them boxes drawn on their pictures."""
    session = write_labelled(tmp_path_factory.mktemp("rig") / "captures", glasses=24)
    labels = read_labels(session / "labels.json")
    images = [
        AnnotatedImage(
            f"{zone.ref.image_name}.png",
            (zone.width_px, zone.height_px),
            [Box(item.label, item.bbox) for item in zone.objects],
        )
        for zone in labels.zones
    ]
    (session / "labels.json").unlink()
    write_coco_file(Annotations(images, labels.classes[:-1]), session.parent)
    return session


def _labelled(label: str, mark_HW: np.ndarray) -> LabelledObject:
    runs = coco_mask.encode(np.asfortranarray(mark_HW))
    box = tuple(float(value) for value in coco_mask.toBbox(runs))
    segmentation = {"size": list(runs["size"]), "counts": runs["counts"].decode()}
    return LabelledObject(label=label, bbox=box, segmentation=segmentation)


AZIMUTHS_DEG = (0.0, 30.0, 60.0, 90.0, 120.0, 150.0)


@pytest.fixture(scope="session")
def dark_zone() -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """Draw a zone with scratches and dust: dark_zone(shift_px=(2.5, -1)) -> (frames_SHW, scratches_HW).

    `seed` draws what lies on the glass, `noise` the sensor's noise; `pen` adds a ring of ink.
    """

    def draw(
        seed: int = 0, shift_px: tuple[float, float] = (0, 0), noise: int = 0, pen: bool = False, scratches: int = 3,
        dust: int = 15, size_px: int = 192,
    ) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
        generator = np.random.default_rng(seed)
        light_SHW = np.full((6, size_px, size_px), 60, np.float32)
        scratches_HW = np.zeros((size_px, size_px), np.uint8)
        for _ in range(scratches):
            middle_px, angle_deg = generator.uniform(0.3, 0.7, 2) * size_px + shift_px, generator.uniform(0, 180)
            half_px = 30 * np.array([np.cos(np.deg2rad(angle_deg)), np.sin(np.deg2rad(angle_deg))])
            ends = [tuple(round(value * 16) for value in middle_px + sign * half_px) for sign in (-1, 1)]
            mark_HW = cv2.line(np.zeros_like(scratches_HW), *ends, 255, 3, cv2.LINE_AA, 4)
            scratches_HW |= (mark_HW > 127).astype(np.uint8)
            for state, azimuth_deg in enumerate(AZIMUTHS_DEG):
                across_deg = (azimuth_deg - angle_deg) % 180 - 90
                light_SHW[state] += mark_HW * np.float32(4 * np.exp(-((across_deg / 14) ** 2) / 2))
        for _ in range(dust):
            centre = tuple(round(value * 16) for value in generator.uniform(0, size_px, 2) + shift_px)
            light_SHW += 6 * cv2.circle(np.zeros_like(scratches_HW), centre, 30, 255, -1, cv2.LINE_AA, 4)
        if pen:
            light_SHW += 8 * cv2.circle(np.zeros_like(scratches_HW), (90, 90), 60, 255, 9)
        light_SHW[:, 0::2, 1::2] *= 0.6  # red
        light_SHW[:, 1::2, 0::2] *= 0.5  # blue
        light_SHW += np.random.default_rng(noise + 100).normal(64, 3, light_SHW.shape)
        return light_SHW.round().clip(0, 4095).astype(np.uint16), scratches_HW > 0

    return draw


@pytest.fixture(scope="session")
def zone_meta() -> Callable[..., ZoneMeta]:
    """Return how a zone of `dark_zone` was taken: zone_meta(glass="G0002", kind="marked")."""

    def make(**changes: object) -> ZoneMeta:
        told: dict[str, object] = {
            "product": "P1", "cycle": "2026a", "glass": "G0001", "kind": "clean", "zone": 0, "stage_x_mm": 0,
            "stage_y_mm": 0, "exposure_us": (900.0,) * 6, "gain_db": 0, "azimuths_deg": AZIMUTHS_DEG,
            "camera_model": "C1", "camera_serial": "7", "pattern": "GRBG", "bit_depth": 12, "pitch_um": 10,
            "overlap_px": 0, "taken_utc": "2026-01-02T03:04:05Z",
        }  # fmt: skip
        return ZoneMeta.model_validate({**told, **changes})

    return make


@pytest.fixture
def marked_captures(
    tmp_path: Path, dark_zone: Callable[..., tuple[np.ndarray, np.ndarray]], zone_meta: Callable[..., ZoneMeta]
) -> Callable[..., tuple[Path, list[np.ndarray]]]:
    """Write glasses with a clean and a marked zone: marked_captures(shifts_px=[(2, -1)]) -> (folder, scratches)."""

    def write(shifts_px: list[tuple[float, float]], **drawn: object) -> tuple[Path, list[np.ndarray]]:
        captures, truths = open_captures(tmp_path / "captures"), []
        for number, shift_px in enumerate(shifts_px):
            glass = f"G{number:04d}"
            frames_SHW, scratches_HW = dark_zone(seed=number, **drawn)
            captures.write(zone_meta(glass=glass), frames_SHW)
            marked_SHW, _ = dark_zone(seed=number, shift_px=shift_px, noise=1, pen=True, **drawn)
            captures.write(zone_meta(glass=glass, kind="marked"), marked_SHW)
            truths.append(scratches_HW)
        return tmp_path / "captures", truths

    return write


@pytest.fixture
def zone_list() -> Callable[[Path], str]:
    """List all zones of a folder and return where the list lies: zone_list(captures)."""

    def write(folder: Path) -> str:
        captures = open_captures(folder)
        return write_zone_list(captures, captures.zones()).url

    return write


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        message = "no chromium on the path; install it (Debian: apt-get install chromium)"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=str(Path(found)), args=_QUIET)
        yield opened
        opened.close()


@pytest.fixture
def make_table(tmp_path: Path) -> MakeTable:
    """Write patches and return their table: make_table(labels=[...], metadata=[...], patches_NHW=...)."""

    def make(
        labels: list[str],
        metadata: np.ndarray | None = None,
        patches_NHW: np.ndarray | None = None,
        classes: tuple[str, ...] = ("dent", "mold"),
        groups: list[str] | None = None,
        name: str = "shards",
        **columns: list,
    ) -> SampleTable:
        count = len(labels)
        if patches_NHW is None:
            patches_NHW = np.random.default_rng(0).integers(0, 256, (count, 112, 112), dtype=np.uint8)
        writer = ShardWriter(tmp_path / name, "patch", patches_NHW.shape[1])
        places = [writer.append(patch_HW) for patch_HW in patches_NHW]
        writer.close()
        if metadata is None:
            metadata = np.random.default_rng(1).normal(size=(count, 3))
        rows = pd.DataFrame(
            {
                "id": [f"p{n}" for n in range(count)], "image": [f"i{n}" for n in range(count)],
                "shard": [shard for shard, _ in places],
                "row": [row for _, row in places], "label": labels, "unit": [f"p{n}" for n in range(count)],
                "unit_label": labels, "has_mask": False, "overlap": np.nan, "x_mm": metadata[:, 0],
                "y_mm": metadata[:, 1], "zone": "", "crop_x_px": 0, "crop_y_px": 0, "crop_px": 112,
                "group": groups or [f"g{n}" for n in range(count)], "product": "", "cycle": "", "source": "",
                "sha256": [f"{patch_HW.sum()}" for patch_HW in patches_NHW], "attr_area": metadata[:, 2], **columns,
            }
        )  # fmt: skip
        return SampleTable(rows, "patches", str(tmp_path / name), classes)

    return make


@pytest.fixture(scope="session")
def segmenter_fitted() -> object:
    """Return an untrained segmentation network of six light states."""
    import torch

    from glassline.data.captures.zone_format import ZoneFormat
    from glassline.models.segmenters import build_segmenter
    from glassline.training.fitted_segmenter import FittedSegmenter
    from glassline.training.losses import build_loss
    from glassline.training.settings import SegmentationSettings

    torch.manual_seed(0)
    settings = SegmentationSettings.parse({"unet": {"width": 1 / 32}})
    of = ZoneFormat(azimuths_deg=AZIMUTHS_DEG, pattern="GRBG", bit_depth=12, pitch_um=10)
    return FittedSegmenter(build_segmenter(6, settings.unet).eval(), build_loss(settings.loss), settings, of)


@pytest.fixture(scope="session")
def segmenter_bundle(segmenter_fitted: object, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return its bundle."""
    from glassline.deploy.export_segmenter import export_bundle
    from glassline.vision.scratches import FindSettings
    from glassline.vision.tiles import TileSettings

    path = tmp_path_factory.mktemp("bundle") / "bundle.zip"
    tiles = [np.random.default_rng(1).normal(0, 30, (1, 6, 64, 64)).astype(np.float32)]
    export_bundle(
        segmenter_fitted, path, tiles, TileSettings(tile_px=128, overlap_px=32), FindSettings(high=0.6), "d" * 64,
        "c" * 40, {"glass_fn_rate": 0.02},
    )  # fmt: skip
    return path


@pytest.fixture(scope="session")
def random_detector() -> Callable[..., object]:
    """Make a detector with random weights and statistics, whose severities spread over 0 to 12."""
    import torch

    from glassline.models.severity_detector import build_detector
    from glassline.training.fitted_detector import FittedDetector
    from glassline.training.settings import RegressionSettings

    def make(cell_px: int = 4, colour: bool = False, **changes: object) -> object:
        torch.manual_seed(0)
        settings = RegressionSettings.parse({"detector": {"cell_px": cell_px, "colour": colour}, **changes})
        model = build_detector(settings.detector).eval()
        for norm in (one for one in model.modules() if isinstance(one, torch.nn.BatchNorm2d)):
            norm.running_mean.normal_(0, 0.3)
            norm.running_var.uniform_(0.2, 0.8)
            norm.weight.data.uniform_(0.5, 1.5)
            norm.bias.data.normal_(0, 0.3)
        with torch.no_grad():
            last, noise = model.head[-1], torch.rand(1, 3 if colour else 1, 64, 64) * 2 - 1
            spread = float(model(noise).std())
            last.weight *= 2 / spread
            last.bias -= model(noise).median() - 3
        return FittedDetector(model, settings)

    return make


@pytest.fixture(scope="session")
def flat_types() -> Callable[..., object]:
    """Make a classifier that calls dark windows lines and bright ones spots, and nothing clean."""
    import torch

    from glassline.training.fitted_types import FittedTypes, TypeCounts
    from glassline.training.settings import DefectTypeSettings

    class Brightness(torch.nn.Module):
        def forward(self, window: torch.Tensor) -> torch.Tensor:
            bright_N = window.float().flatten(1).mean(1) / 16 - 8
            return torch.stack([-bright_N, bright_N, bright_N * 0 - 9], dim=1)

    def make(colour: bool = False) -> object:
        settings = DefectTypeSettings.parse({"classifier": {"window_px": 32}})
        counts = TypeCounts(defects={}, false_positives=0, random_clean=0)
        return FittedTypes(Brightness(), settings, ("line", "spot", "clean"), colour, counts)

    return make


@pytest.fixture(scope="session")
def detector_bundle(
    random_detector: Callable[..., object], flat_types: Callable[..., object], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[bool], Path]:
    """Return the bundle of a random detector: detector_bundle(colour=True)."""
    from glassline.deploy.export_detector import export_detector
    from glassline.vision.defects import DefectSettings

    written: dict[bool, Path] = {}

    def bundle(colour: bool = False) -> Path:
        if colour not in written:
            tiles = np.random.default_rng(1).integers(0, 256, (3, 64, 96, *([3] if colour else [])), np.uint8)
            path = tmp_path_factory.mktemp("detector") / "bundle.zip"
            written[colour] = path
            export_detector(
                random_detector(4, colour), flat_types(colour), path, list(tiles), tiles[:, :32, :32],
                DefectSettings(threshold=5), 10, "d" * 64, "c" * 40, {"f1": 0.9},
            )  # fmt: skip
        return written[colour]

    return bundle


@pytest.fixture
def typed_images(tmp_path: Path) -> Callable[..., AnnotatedImages]:
    """Write images with a bright spot, a dark line or nothing: typed_images(["spot", "line", ""], size_px=96)."""

    def make(
        labels: list[str], size_px: int = 96, colour: bool = False, groups: list[str] | None = None,
        types: tuple[str, ...] = ("line", "spot"),
    ) -> AnnotatedImages:  # fmt: skip
        generator, rows = np.random.default_rng(0), []
        for number, label in enumerate(labels):
            pixels = generator.normal(120, 4, (size_px, size_px, 3) if colour else (size_px, size_px))
            width, height, level = {"line": (24, 3, -80), "spot": (8, 8, 80)}.get(label, (0, 0, 0))
            x, y = (int(at) for at in generator.integers(0, size_px - 24, 2))
            pixels[y : y + height, x : x + width] += level
            assert cv2.imwrite(str(tmp_path / f"{number}.png"), pixels.clip(0, 255).astype(np.uint8))
            told = [{"label": label, "bbox": [x, y, width, height], "segmentation": None}] if label else []
            rows.append(
                {"id": f"{number}", "image": f"{number}.png", "label": label or "plain", "objects": json.dumps(told)}
            )
        common = {
            "mask": "", "x_mm": np.nan, "y_mm": np.nan, "zone": "", "pitch_um": np.nan, "product": "", "cycle": "",
            "source": "", "width_px": size_px, "height_px": size_px, "bit_depth": 8,
        }  # fmt: skip
        frame = pd.DataFrame(rows).assign(**common, group=groups or [f"g{n}" for n in range(len(labels))])
        frame["sha256"] = [f"{number}-{label}" for number, label in enumerate(labels)]
        return AnnotatedImages(SampleTable(frame, "images", str(tmp_path), (*types, "plain"), "plain"), colour)

    return make


@pytest.fixture(scope="session")
def write_marked_images() -> Callable[..., Path]:
    """Write a mask folder: half of the images are clean, the others have two dark dents, far apart."""

    def write(folder: Path, images: int = 12, size_px: int = 96, depth: int = 70) -> Path:
        generator = np.random.default_rng(0)
        for number in range(images):
            place = folder / ("clean", "dent")[number % 2]
            place.mkdir(parents=True, exist_ok=True)
            grey_HW, mask_HW = generator.normal(150, 3, (size_px, size_px)), np.zeros((size_px, size_px), np.uint8)
            if number % 2:
                for x, y in ((12, 16), (56, 60)):
                    dx, dy = (int(shift) for shift in generator.integers(0, 12, 2))
                    mask_HW[y + dy : y + dy + 12, x + dx : x + dx + 16] = 255
                grey_HW[mask_HW > 0] -= depth
            cv2.imwrite(str(place / f"{number}.jpg"), grey_HW.clip(0, 255).astype(np.uint8))
            cv2.imwrite(str(place / f"{number}.png"), mask_HW)
        return folder

    return write


@pytest.fixture(scope="session")
def image_rows() -> type:
    """Return images (K, H, W) in memory as a view that is read by rows."""

    class Rows:
        def __init__(self, images_KHW: np.ndarray) -> None:
            self.images_KHW = images_KHW
            self.size_px = images_KHW.shape[1:]
            self.highest = int(images_KHW.max())

        def rows(self, number: int, top: int, bottom: int) -> np.ndarray:
            return self.images_KHW[number, top:bottom]

    return Rows


@pytest.fixture(scope="session")
def write_shift() -> Callable[..., Path]:
    """Write a view of the line: noise, and from some image on the same dark scratch at (40, 30) to (90, 60)."""

    def write(folder: Path, images: int = 12, since: int | None = 0, seed: int = 0, size_px: int = 128) -> Path:
        generator = np.random.default_rng(seed)
        folder.mkdir(parents=True, exist_ok=True)
        line_HW = np.zeros((size_px, size_px), np.uint8)
        cv2.line(line_HW, (40, 30), (90, 60), 60, 2)
        for number in range(images):
            grey_HW = generator.normal(150, 10, (size_px, size_px))
            if since is not None and number >= since:
                grey_HW -= line_HW
            cv2.imwrite(str(folder / f"{number:03d}.png"), grey_HW.clip(0, 255).astype(np.uint8))
        return folder

    return write
