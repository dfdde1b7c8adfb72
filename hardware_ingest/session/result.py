"""What a session says while it runs and when it has ended."""

from dataclasses import dataclass

from glassline.data.captures.meta import ZoneRef


@dataclass(frozen=True)
class Written:
    """A zone that is whole in the store."""

    ref: ZoneRef
    raw_bytes: int
    frames: int


@dataclass(frozen=True)
class Retried:
    """A zone, or the start, that is tried once more."""

    what: str
    attempt: int
    why: str


@dataclass(frozen=True)
class SessionResult:
    """A session that has ended well."""

    zones: int
    already_whole: int
    frames: int
    raw_bytes: int
    seconds: float
    #: Zones that were taken again after a device was made ready again.
    retries: int
    #: Frames that came broken and were taken again at once.
    retaken: int

    @property
    def frames_per_s(self) -> float:
        """Frames a second over the whole session; 0 when none was taken."""
        return self.frames / self.seconds if self.frames else 0.0

    @property
    def megabytes_per_s(self) -> float:
        """Raw megabytes a second over the whole session; 0 when none was taken."""
        return self.raw_bytes / 1e6 / self.seconds if self.frames else 0.0
