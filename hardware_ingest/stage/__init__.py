"""The XY stage: GRBL 1.1 over a serial line, what it must do, and its simulator."""
