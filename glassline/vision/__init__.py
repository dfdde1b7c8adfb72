"""From images to candidate patches, and their augmentation."""
