"""Component `augment_samples`."""
