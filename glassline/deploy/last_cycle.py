"""What the champion's own cycle left to compare new data with: its table, its light, its bundle, its weights."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from glassline.data.samples import SampleTable
from glassline.deploy.bundle import Bundle, load_bundle
from glassline.errors import ModelError, SettingsError
from glassline.tracking import fetch_artifact, run_files
from glassline.tracking.champion import Champion, champion_bundle, champion_table, champion_weights, find_champion
from glassline.vision.light_levels import RIG_COLUMNS

if TYPE_CHECKING:
    from glassline.training.fitted import Fitted

#: Where a pipeline's run keeps what its check measured of the light.
CYCLE_LIGHT = "cycle/light.parquet"


@dataclass(frozen=True)
class LastCycle:
    """What is left of the champion's cycle; None or empty where it left nothing.

    Attributes:
        champion: The champion.
        table: Table of patches with folds that it was trained on.
        bundle: Its bundle.
        light: Light of its rigs, a row per rig and light state; see `by_rig`.
        has_weights: Whether its weights can be had.
        lacks: What cannot be compared and why, a line each.
    """

    champion: Champion | None
    table: SampleTable | None
    bundle: Bundle | None
    light: pd.DataFrame
    has_weights: bool
    lacks: tuple[str, ...]

    @property
    def model(self) -> str:
        """The champion's method, "" where there is no champion or it does not say."""
        if self.bundle is not None:
            return self.bundle.manifest.model
        return self.champion.tags.get("model", "") if self.champion else ""

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes that the champion knows."""
        if self.bundle is not None:
            return self.bundle.manifest.classes
        return self.table.classes if self.table is not None else ()


def read_last_cycle(registered_model: str) -> LastCycle:
    """Return what the champion of a registered model left; what is damaged or missing is told, not raised.

    Raises:
        TrackingError: The registry does not answer.
    """
    champion = find_champion(registered_model)
    if champion is None:
        return LastCycle(None, None, None, pd.DataFrame(), False, (f"{registered_model} has no champion yet",))
    lacks: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        table, damage = champion_table(champion)
        if table is None:
            told = damage or f"champion {champion.version} left no table of its cycle"
            lacks.append(f"{told}: samples are not compared with it")
        bundle = _bundle(champion, Path(folder), lacks)
        light = _light(champion, Path(folder), lacks) if table is not None else pd.DataFrame()
        network, why = champion_start(champion)
        if network is None:
            lacks.append(f"{why}: no candidate starts from them")
    return LastCycle(champion, table, bundle, light, network is not None, tuple(lacks))


def _bundle(champion: Champion, folder: Path, lacks: list[str]) -> Bundle | None:
    try:
        return load_bundle(champion_bundle(champion, folder))
    except ModelError as error:
        lacks.append(f"the bundle of champion {champion.version} cannot be used, gradients are compared: {error}")
        return None


def _light(champion: Champion, folder: Path, lacks: list[str]) -> pd.DataFrame:
    run = champion.pipeline_run
    if CYCLE_LIGHT not in run_files(run, CYCLE_LIGHT.rpartition("/")[0]):
        lacks.append(f"champion {champion.version} left no light levels of its cycle: the light is not compared")
        return pd.DataFrame()
    try:
        light = pd.read_parquet(fetch_artifact(run, CYCLE_LIGHT, folder))
    except (OSError, pa.ArrowException) as error:
        lacks.append(f"the light levels of champion {champion.version} cannot be read, they are not compared: {error}")
        return pd.DataFrame()
    if missing := sorted(set(RIG_COLUMNS) - set(light.columns)):
        lacks.append(f"the light levels of champion {champion.version} lack {missing}: they are not compared")
        return pd.DataFrame()
    return light


def champion_start(champion: Champion) -> "tuple[Fitted | None, str]":
    """Return the network that a candidate may start from, or None and why it cannot be had.

    Raises:
        TrackingError: The server does not answer.
    """
    from glassline.training.fitted import load_fitted

    name = f"version {champion.version} of {champion.name}"
    with tempfile.TemporaryDirectory() as folder:
        weights = champion_weights(champion, Path(folder))
        if weights is None:
            return None, f"the run of {name} kept no weights"
        try:
            return load_fitted(weights), ""
        except (ModelError, SettingsError, KeyError, TypeError) as error:  # the latter of a model.json of other keys
            return None, f"the weights that the run of {name} kept are damaged: {error}"
