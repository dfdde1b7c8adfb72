"""Component `select_sources`."""
