"""Component `evaluate_transfer`."""
