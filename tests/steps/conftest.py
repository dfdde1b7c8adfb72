"""Steps under test log into a file of their test module."""

from tests.tracked import tracked_apart

__all__ = ["tracked_apart"]
