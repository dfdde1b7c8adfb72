"""Words of GRBL 1.1: status reports, errors and alarms.

Source: the manual of GRBL 1.1, "Interface" and its tables of error and alarm codes.
"""

import re
from dataclasses import dataclass

ERRORS = {
    1: "a letter is missing", 2: "a number is malformed", 3: "an unknown $ command", 5: "homing is not enabled ($22)",
    8: "a $ command needs the stage idle", 9: "locked by an alarm", 10: "soft limits need homing ($22)",
    11: "a line is too long", 15: "the target lies outside the stage's own soft limits", 20: "an unknown command",
    22: "the feed is not set", 33: "the target is invalid",
}  # fmt: skip

#: Errors that noise on the way makes of a good command.
MISHEARD = {1, 2, 3, 11, 20, 22, 33}

#: What happened, and what a person does about it.
ALARMS = {
    1: ("a limit switch was hit and its place is lost", "free it by hand"),
    2: ("a target lay outside its soft limits", "check the zone grid and $130, $131"),
    3: ("it was reset while moving and its place is lost", "look for loose cables"),
    6: ("homing was reset", "start again"),
    7: ("the door was opened while homing", "close it"),
    8: ("homing could not leave the limit switch", "check the switches and $27"),
    9: ("homing did not find the limit switch", "check the switches and $130, $131"),
}

_STATUS = re.compile(
    rb"<(Idle|Run|Hold|Jog|Alarm|Door|Check|Home|Sleep)(?::(\d))?\|MPos:(-?\d+\.\d+),(-?\d+\.\d+)(?:,-?\d+\.\d+)*"
    rb"(?:\|[A-Za-z]+:[^|<>]*)*>"
)


@dataclass(frozen=True)
class Status:
    """One status report."""

    state: str
    x_mm: float
    y_mm: float
    #: `Hold:1` still slows down, `Hold:0` stands; 0 for other states.
    part: int = 0

    @property
    def moves(self) -> bool:
        """Whether the stage is, or may be, in motion."""
        return self.state in ("Run", "Jog", "Home") or (self.state in ("Hold", "Door") and self.part != 0)


def read_status(line: bytes) -> Status | None:
    """Return the status that a line reports; None when it reports none, or is garbled."""
    found = _STATUS.fullmatch(line)
    return Status(found[1].decode(), float(found[3]), float(found[4]), int(found[2] or 0)) if found else None


def code_of(line: bytes, word: bytes) -> int | None:
    """Return the number of a line such as `error:15` or `ALARM:1`; None for any other line."""
    found = re.fullmatch(word + rb":(\d{1,3})", line)
    return int(found[1]) if found else None


def is_remark(line: bytes) -> bool:
    """Return whether a line answers nothing: the banner after a reset, or a message in brackets."""
    return bool(re.fullmatch(rb"Grbl 1\.1[\x20-\x7e]*|\[[\x20-\x7e]*\]", line))
