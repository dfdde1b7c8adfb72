"""Component `train_defect_types`."""
