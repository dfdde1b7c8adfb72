"""The ring of LED groups: Modbus/TCP coils, what they must do, and their simulator."""
