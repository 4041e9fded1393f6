"""What the models of a file come to when it runs: what Keras raises, and where; what goes wrong in silence."""
