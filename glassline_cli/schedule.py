"""`--every FILE`: when a pipeline is run again and again."""

import re
from typing import Any

from pydantic import AwareDatetime, Field, model_validator

from glassline.settings import Settings

# Fields of Kubeflow's cron, which begins with seconds: lowest and highest number of each.
_CRON = {
    "second": (0, 59), "minute": (0, 59), "hour": (0, 23), "day of the month": (1, 31), "month": (1, 12),
    "day of the week": (0, 6),
}  # fmt: skip


class Schedule(Settings):
    """When a recurring run starts its runs."""

    cron: str = Field("", description="six fields, seconds first: '0 0 6 * * 1-5' is six o'clock of working days, UTC")
    interval_s: int = Field(0, ge=0, le=31_536_000, description="seconds from one start to the next, from 60 on")
    start: AwareDatetime | None = Field(None, description="first time, with its zone; none is now")
    end: AwareDatetime | None = Field(None, description="last time, with its zone; none is never")
    max_concurrency: int = Field(1, ge=1, le=10, description="runs of it at a time")
    catch_up: bool = Field(False, description="also run what was missed while it was disabled or the server down")
    enabled: bool = Field(True, description="false creates it and starts nothing")

    @model_validator(mode="after")
    def _consistent(self) -> "Schedule":
        if bool(self.cron) == bool(self.interval_s):
            raise ValueError(f"either cron or interval_s must be given, got {self.cron!r} and {self.interval_s}")
        if 0 < self.interval_s < 60:
            raise ValueError(f"interval_s must be >= 60, got {self.interval_s}")
        if self.start and self.end and self.start >= self.end:
            raise ValueError(f"start must be before end, got {self.start} and {self.end}")
        if self.cron:
            _check_cron(self.cron)
        return self

    def fields(self) -> dict[str, Any]:
        """Return the fields of the API's recurring run that say when."""
        import kfp_server_api

        between = {"start_time": self.start, "end_time": self.end}
        if self.cron:
            trigger = {"cron_schedule": kfp_server_api.V2beta1CronSchedule(cron=self.cron, **between)}
        else:
            every = str(self.interval_s)
            trigger = {"periodic_schedule": kfp_server_api.V2beta1PeriodicSchedule(interval_second=every, **between)}
        mode = kfp_server_api.RecurringRunMode
        return {
            "trigger": kfp_server_api.V2beta1Trigger(**trigger),
            "max_concurrency": str(self.max_concurrency),
            "no_catchup": not self.catch_up,
            "mode": mode.ENABLE if self.enabled else mode.DISABLE,
        }


def _check_cron(text: str) -> None:
    words = text.split()
    if len(words) != len(_CRON):
        raise ValueError(
            f"cron must have six fields, {', '.join(_CRON)}, got {len(words)} in {text!r}; seconds come first"
        )
    for word, (name, (low, high)) in zip(words, _CRON.items(), strict=True):
        if not re.fullmatch(r"(\*|\?|\d+(-\d+)?)(/[1-9]\d*)?(,(\*|\d+(-\d+)?)(/[1-9]\d*)?)*", word):
            raise ValueError(f"cron's {name} must be *, ?, numbers, ranges or steps such as */5, got {word!r}")
        numbers = [int(number) for number in re.findall(r"(?<![/\d])\d+", word)]
        if any(not low <= number <= high for number in numbers):
            raise ValueError(f"cron's {name} must lie in {low} to {high}, got {word!r}")
