"""envcheck: what every TensorFlow/Keras user runs before training.

Probes look, checks judge, reporters speak. See CONTRIBUTING.md for the house.
"""

__version__ = "0.1.0"
