"""References to TensorFlow and Keras in parsed Python, resolved by scope; nothing here knows what a release has."""
