"""Component `measure_affinity`."""
