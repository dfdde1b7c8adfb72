"""`--set key=value`: dotted keys laid over a preset, values as YAML."""

from collections.abc import Sequence
from typing import Any

import yaml

from glassline.errors import SettingsError
from glassline.settings import Settings


def with_overrides(preset: Settings, pairs: Sequence[str]) -> Any:
    """Return the preset's settings with overrides applied and checked.

    Args:
        preset: Settings to start from.
        pairs: `key=value`; keys are dotted (`training.epochs`), values YAML (`[cnn, mlp]`, `true`, `0.1`).

    Raises:
        SettingsError: A pair has no `=`, a key is unknown, or a value is out of range.
    """
    values = preset.model_dump()
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals:
            raise SettingsError(f"--set takes key=value, got {pair!r}; write for example --set training.epochs=5")
        inner = values
        *path, last = key.split(".")
        for name in path:
            if not isinstance(inner.get(name), dict):
                raise SettingsError(f"--set {key}: {name!r} is no group of settings; known: {', '.join(inner)}")
            inner = inner[name]
        if last not in inner:
            raise SettingsError(f"--set {key}: unknown setting {last!r}; known: {', '.join(inner)}")
        try:
            inner[last] = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise SettingsError(f"--set {key}: the value must be YAML, got {text!r} ({error}); quote it") from error
    return type(preset).parse(values)
