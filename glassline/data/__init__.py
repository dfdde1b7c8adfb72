"""Samples, importers, shards and splits."""
