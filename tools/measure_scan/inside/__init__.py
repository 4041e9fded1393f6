"""Answers questions in an environment with a real TensorFlow and Keras (Python 3.7 or newer, standard library only)."""
