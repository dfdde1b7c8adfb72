"""Component `cross_validate`."""
