"""Component `import_source`."""
