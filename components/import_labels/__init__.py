"""Component `import_images`."""
