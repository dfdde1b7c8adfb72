"""Bundles: export, load, run."""
