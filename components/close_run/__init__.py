"""Component `close_run`."""
