"""The cameras of the rig: a GenICam camera through Aravis, a simulated one, and a simulated GigE Vision device."""
