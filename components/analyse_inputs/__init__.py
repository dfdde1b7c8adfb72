"""Component `analyse_inputs`."""
