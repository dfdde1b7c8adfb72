"""Component `export_model`."""
