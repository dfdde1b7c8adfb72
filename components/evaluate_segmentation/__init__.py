"""Component `evaluate_segmentation`."""
