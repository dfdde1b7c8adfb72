"""The optical rig and its simulators."""
