"""Component `merge_labels`."""
