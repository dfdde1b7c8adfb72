"""Component `find_root_cause`."""
