"""Component `evaluate_classifier`."""
