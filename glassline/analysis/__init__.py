"""What a reviewer asks of a model: metrics, significance, CAM, embedding."""
