"""Names that come from the data, such as classes, as parts of metric and file names."""

import re

#: Longest class name: MLflow keeps 250 characters of a metric's name.
LONGEST = 100

_ODD = re.compile(r"[^\w.\- ]")


def plain_name(text: str) -> str:
    """Return a name with `_` for all but letters, digits, spaces, `_`, `-` and `.`.

    MLflow takes no other characters, and a slash would make a folder of a file.
    """
    return _ODD.sub("_", text)
