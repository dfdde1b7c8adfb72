"""The simulated rig: one glass under simulated devices, in this process or behind the real protocols."""
