"""Component `label_severity`."""
