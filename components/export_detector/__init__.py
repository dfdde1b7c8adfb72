"""Component `export_detector`."""
