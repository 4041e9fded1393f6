"""References to TensorFlow and Keras in parsed Python, resolved by scope; nothing here knows what a release has.

``reader.read`` is the way in. It is one class in five files, each on top of the one before: ``expressions`` (what a name
stands for), ``calls``, ``bindings`` (assignments and imports), ``branches`` (blocks and their conditions), ``reader``
(functions, classes, exports).
"""
