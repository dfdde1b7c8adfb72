"""Component `detect_defects`."""
