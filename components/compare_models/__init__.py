"""Component `compare_models`."""
