"""A rig in one file: its devices, the grid of zones, the light states."""
