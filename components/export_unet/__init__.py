"""Component `export_unet`."""
