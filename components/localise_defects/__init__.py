"""Component `localise_defects`."""
