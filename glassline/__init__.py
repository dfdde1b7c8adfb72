"""Defect inspection for smartphone cover glass: the library that every pipeline step calls."""

import time

__version__ = "0.1.0"

#: When this process first needed the library: where the body of a containerised step begins.
IMPORTED_AT_S = time.time()
