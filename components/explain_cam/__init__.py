"""Component `explain_cam`."""
