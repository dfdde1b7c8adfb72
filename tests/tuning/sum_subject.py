"""A method that takes no time to fit: its score is a sum."""

import os
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from glassline.data.samples import read_samples
from glassline.errors import ModelError, StorageError
from glassline.training.settings import TrainingSettings
from glassline.tuning.outcome import Outcome, Retraining
from glassline.tuning.subject import Subject
from glassline.tuning.tune import Search, tune


@dataclass(frozen=True)
class Sum(Subject):
    """Score 1 less the distance of the learning rate from 0.001 and of the filters from 16; it rises by epochs."""

    judged_on = "fold 1"

    def judge(self, settings, checkpoints, watch):
        checkpoints.folder.mkdir(parents=True, exist_ok=True)
        (checkpoints.folder / "last.ckpt").write_text("epoch")
        for epoch in range(settings.epochs):
            reached = (epoch + 1) / settings.epochs
            score = reached * (1 - abs(settings.learning_rate - 1e-3) * 10 - abs(settings.cnn.filters - 16) / 64)
            watch(epoch, score, {"train_loss": 1 - score})
        return {"macro_f1": score, "accuracy": score / 2}


@dataclass(frozen=True)
class Collapsing(Sum):
    """One whose every other trial collapses."""

    error: ClassVar[Exception] = ModelError(
        "embeddings must differ between patches, got one point; lower training.learning_rate"
    )
    judged: list[object] = field(default_factory=list)

    def judge(self, settings, checkpoints, watch):
        self.judged.append(settings)
        if len(self.judged) % 2:
            raise self.error
        return super().judge(settings, checkpoints, watch)


@dataclass(frozen=True)
class Killed(Sum):
    """One whose process is killed in the second epoch of the eighth trial."""

    judged: list[object] = field(default_factory=list)

    def judge(self, settings, checkpoints, watch):
        self.judged.append(settings)

        def deadly(epoch, score, values):
            watch(epoch, score, values)
            if len(self.judged) == 8 and epoch == 1:
                os.kill(os.getpid(), signal.SIGKILL)

        return super().judge(settings, checkpoints, deadly)


@dataclass(frozen=True)
class Starving(Collapsing):
    """One whose every other trial runs out of memory, as torch says it of a GPU."""

    error = RuntimeError("CUDA out of memory. Tried to allocate 20.00 GiB")


@dataclass(frozen=True)
class Deadly(Sum):
    """One whose first trial kills the process in the second epoch, whenever it is tried."""

    def judge(self, settings, checkpoints, watch):
        tried = self.folder / "first"
        first = tried.read_text() if tried.is_file() else str(settings.learning_rate)
        tried.write_text(first)

        def deadly(epoch, score, values):
            if first == str(settings.learning_rate) and epoch == 1:
                os.kill(os.getpid(), signal.SIGKILL)
            watch(epoch, score, values)

        return super().judge(settings, checkpoints, deadly)


@dataclass(frozen=True)
class Stopped(Sum):
    """One whose disk is full."""

    def judge(self, settings, checkpoints, watch):
        raise StorageError("the disk is full; free space")


def search(
    table: Path, out: Path, kind: type[Subject] = Sum, trials: int = 3, method: str = "cnn", seed: int = 0,
    epochs: int = 4, **asked: object,
) -> Outcome:  # fmt: skip
    """Search on a table of patches with one of the above."""
    subject = kind(method, read_samples(table, "patches"), seed, out)
    what = Search(TrainingSettings(epochs=epochs), trials=trials, **asked)
    return tune(what, subject, out, lambda best, names: Retraining({"training.epochs": 4}, "glassline run retrain"))
