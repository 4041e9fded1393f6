"""The API history: which public names, modules and parameters every recorded TensorFlow and Keras release has."""
