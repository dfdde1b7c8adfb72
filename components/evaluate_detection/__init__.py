"""Component `evaluate_detection`."""
