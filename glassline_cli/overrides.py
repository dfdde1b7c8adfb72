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
        value = yaml_value(key, text)
        # Text stays text: a cycle 7 or 2026-01-31 is a name, whatever YAML makes of it.
        inner[last] = text if isinstance(inner[last], str) and not isinstance(value, str) else value
    return type(preset).parse(values)


def yaml_value(key: str, text: str) -> Any:
    """Return the value of `--set key=text`.

    Raises:
        SettingsError: The text is no YAML.
    """
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        problem = " ".join(str(error).split())
        raise SettingsError(f"--set {key}: the value must be YAML, got {text!r} ({problem}); quote it") from error
