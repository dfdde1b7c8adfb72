"""`thresholds.yaml` of a bundle: the one file that people edit, read as plain YAML and nothing more."""

from collections.abc import Mapping
from typing import Any

import yaml

from glassline.errors import ModelError

NAME = "thresholds.yaml"
#: Room for a thousand classes.
LARGEST_BYTES = 64 * 2**10
_HEAD = "# Line engineers may edit this file; every other file of the bundle is checked by hash.\n"
# What a loader says of odd nodes and tags: `!!timestamp x` has no group, `!!int ""` no first letter.
_ODD = (yaml.YAMLError, ValueError, TypeError, LookupError, AttributeError, RecursionError, OverflowError)


class _PlainLoader(yaml.SafeLoader):
    """YAML whose aliases cannot unfold to gigabytes, and in which no line undoes another one."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuse an anchor or alias before anything is made of it."""
        event: object = self.peek_event()  # type: ignore[no-untyped-call]
        if getattr(event, "anchor", None) is not None:
            raise yaml.YAMLError("anchors and aliases are not read")
        return super().compose_node(parent, index)

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """Refuse a name that stands twice: the last one would count."""
        node = super().compose_mapping_node(anchor)
        names = [str(key.value) for key, _ in node.value]
        if doubles := sorted({name for name in names if names.count(name) > 1}):
            raise yaml.YAMLError(f"{doubles} stand twice")
        return node


def write_sidecar(thresholds: Mapping[str, Any]) -> bytes:
    """Return the file's content."""
    return (_HEAD + yaml.safe_dump(dict(thresholds), sort_keys=False)).encode()


def read_sidecar(content: bytes, where: object) -> dict[str, Any]:
    """Return the thresholds of the file.

    Args:
        content: Its bytes, at most `LARGEST_BYTES`.
        where: What the error calls the bundle.

    Raises:
        ModelError: It is no plain YAML mapping.
    """
    try:
        return dict(yaml.load(content, _PlainLoader) or {})  # noqa: S506 - it is a SafeLoader
    except _ODD as error:
        told = " ".join(str(error).split())[:200]
        raise ModelError(f"{NAME} of {where} must be a plain YAML mapping ({told}); mend it") from error
