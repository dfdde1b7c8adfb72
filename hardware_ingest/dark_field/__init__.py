"""Simulated dark-field optics: what the rig's camera sees of a glass under the ring of LED groups.

A millimetre is counted on the glass from the first pixel of its first zone: x along a frame's rows, y
down its columns. An azimuth is an angle in degrees from x towards y. Brightness is a rate: grey levels
(DN) per millisecond of exposure at 0 dB.
"""
