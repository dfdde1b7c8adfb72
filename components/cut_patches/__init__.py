"""Component `cut_patches`."""
