"""XML from outside: a file that declares entities is refused, for they can blow a small one up to gigabytes."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from glassline.errors import DataError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


def read_xml(file: Path, what: str) -> "Element":
    """Return the root element of a file.

    Args:
        file: The file.
        what: The format for the message, such as `VOC`.

    Raises:
        DataError: It is missing, declares entities, or is not well-formed; the message does not name the file.
    """
    try:
        root: Element | None = ElementTree.parse(file, forbid_dtd=False).getroot()
    except DefusedXmlException as error:
        raise DataError(
            f"an annotation must not declare entities, got {type(error).__name__}; export it without"
        ) from error
    except (ElementTree.ParseError, ValueError, OSError) as error:
        raise DataError(f"an annotation must be well-formed {what} XML ({error}); export it again") from error
    assert root is not None  # a file without an element is not well-formed
    return root


def text_of(item: Any, path: str) -> str:
    """Return the text of an element below.

    Raises:
        ValueError: It is missing or empty.
    """
    text = (item.findtext(path) or "").strip()
    if not text:
        raise ValueError(f"the element {path} is missing or empty")
    return text
