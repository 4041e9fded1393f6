"""Shapes, dtypes and ranges of data: numpy, TensorFlow's tensors, tf.data, the data sets of Keras, scikit-learn."""
