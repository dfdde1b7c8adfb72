"""Component `hold_out`."""
