"""Component `judge_glasses`."""
