"""Wiring of steps into pipelines."""
