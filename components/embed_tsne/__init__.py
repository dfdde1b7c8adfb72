"""Component `embed_tsne`."""
