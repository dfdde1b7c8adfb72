"""Component `export_transfer`."""
