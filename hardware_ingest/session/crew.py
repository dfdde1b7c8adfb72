"""The cameras of a rig, each in a thread of its own, exposing together.

Shapes: H x W pixels of a frame.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

from glassline.errors import DeviceError
from hardware_ingest.devices import Camera, CameraInfo, Frame
from hardware_ingest.session.faults import blaming

T = TypeVar("T")


class CameraCrew:
    """Does to every camera the same at the same time."""

    def __init__(self, cameras: Sequence[Camera], size_px: tuple[int, int]) -> None:
        """Take the cameras; nothing is contacted yet.

        Args:
            cameras: The cameras.
            size_px: Width and height that every frame must have.
        """
        self._cameras, self._size_px = tuple(cameras), size_px
        self._threads = [ThreadPoolExecutor(1, thread_name_prefix=camera.name) for camera in cameras]
        #: What each camera said of itself when it was made ready last.
        self.infos: dict[int, CameraInfo] = {}

    def ensure_ready(self) -> None:
        """Make all ready and wait for triggers."""
        together(self._each(self._ready))

    def start_acquiring(self) -> None:
        """Wait for triggers, forgetting frames of earlier ones."""
        together(self._each(lambda number: self._cameras[number].start_acquiring()))

    def expose(self, exposure_us: float) -> list[Future[Frame]]:
        """Expose all; returns once all exposures are over, with the frames still to come."""
        together(self._each(lambda number: self._cameras[number].trigger(exposure_us)))
        return self._each(lambda number: self._cameras[number].read_frame())

    def stream(self, exposure_us: float, frames: int) -> list[list[Future[Frame]]]:
        """Wait for hardware triggers; return some frames of every camera, each still to come.

        All are asked for at once: however slowly they are fetched, the next is waited for as soon as one is there.
        """

        def next_frame(number: int) -> Frame:
            self._cameras[number].trigger(exposure_us)
            return self._cameras[number].read_frame()

        return [self._each(next_frame) for _ in range(frames)]

    def recover(self, camera: Camera) -> None:
        """Let go of one camera and connect to it again."""

        def again(number: int) -> None:
            self._cameras[number].ensure_stopped()
            self._ready(number)

        together([self._begin(self._cameras.index(camera), again)])

    def ensure_stopped(self) -> None:
        """Stop all, each after what it was doing, and end their threads."""
        try:
            together(self._each(lambda number: self._cameras[number].ensure_stopped()))
        finally:
            for thread in self._threads:
                thread.shutdown()

    def _ready(self, number: int) -> None:
        camera = self._cameras[number]
        info = camera.ensure_ready()
        if (info.width_px, info.height_px) != self._size_px:
            raise DeviceError(
                f"{camera.name} must give frames as large as a zone, {self._size_px[0]} x {self._size_px[1]} px, got "
                f"{info.width_px} x {info.height_px}; mend grid.width_px and grid.height_px"
            )
        camera.start_acquiring()
        self.infos[number] = info

    def _each(self, work: Callable[[int], T]) -> list[Future[T]]:
        return [self._begin(number, work) for number in range(len(self._cameras))]

    def _begin(self, number: int, work: Callable[[int], T]) -> Future[T]:
        """Let a camera's thread do something, with errors that name the camera."""

        def blamed() -> T:
            with blaming(self._cameras[number]):
                return work(number)

        return self._threads[number].submit(blamed)


def together(futures: Sequence[Future[T]]) -> list[T]:
    """Wait for all, then return their results or raise the first error: no thread is left at work."""
    wait(futures)
    return [future.result() for future in futures]
