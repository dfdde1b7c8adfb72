"""Defect inspection for smartphone cover glass: the library that every pipeline step calls."""

__version__ = "0.1.0"
