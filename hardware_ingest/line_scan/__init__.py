"""Simulated line-scan view of cover glass."""
