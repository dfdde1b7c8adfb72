"""Component `import_labels`."""
