"""The file of a study: opened for the plan that it was begun with, and for no other."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna
from optuna.trial import TrialState
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from glassline.errors import DataError, SettingsError
from glassline.tuning.study import Plan, Study, answers

#: Trials that are never pruned: no median is to be had before.
_UNPRUNED = 5
#: Share of the epochs in which nothing is pruned: the learning rate rises for as long in a one-cycle schedule.
_RISING = 0.3
_IDENTITY = "identity"


@contextmanager
def open_study(path: Path, plan: Plan) -> Iterator[Study]:
    """Open the study that a file holds, or begin one; trials that a killed try left open are marked as failed.

    Raises:
        DataError: The file holds something else.
        SettingsError: The study in it is of another plan; names what differs.
    """
    storage = None
    try:
        try:
            storage = optuna.storages.RDBStorage(
                URL.create("sqlite", database=str(path)).render_as_string(hide_password=False)
            )
            found = optuna.create_study(
                study_name="tune", storage=storage, direction="maximize", pruner=_pruner(plan), load_if_exists=True
            )
            identity, trials = found.user_attrs.get(_IDENTITY), found.get_trials(deepcopy=False)
        except (SQLAlchemyError, optuna.exceptions.OptunaError, RuntimeError, KeyError, ValueError) as error:
            raise DataError(
                f"{path} must be a study that `glassline tune` wrote, got something else "
                f"({' '.join(str(error).split())[:160]}); move it away to begin anew, or choose another --out"
            ) from None
        _check_same(path, identity, plan.told)
        with answers(path):
            found.set_user_attr(_IDENTITY, plan.told)
            for one in trials:
                if one.state == TrialState.RUNNING:
                    found.tell(one.number, state=TrialState.FAIL)
        yield Study(found, plan, path)
    finally:
        if storage is not None:
            storage.remove_session()
            storage.engine.dispose()


def _pruner(plan: Plan) -> optuna.pruners.BasePruner:
    if plan.grid:
        return optuna.pruners.NopPruner()
    return optuna.pruners.MedianPruner(_UNPRUNED, n_warmup_steps=math.ceil(_RISING * plan.epochs))


def _check_same(path: Path, found: dict[str, str] | None, wanted: dict[str, str]) -> None:
    other = [name for name in wanted if found and found.get(name) != wanted[name]]
    if other:
        raise SettingsError(
            f"{path} must be of the same {', '.join(other)}, got a study of another: "
            f"{'; '.join(f'{name} {str(found and found.get(name))[:120]}' for name in other)}; choose another --out"
        )
