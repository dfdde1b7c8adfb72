"""A capture session: every zone of a glass into the store, or a safe stop from which it goes on."""
