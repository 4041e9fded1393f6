"""Record the public API of the TensorFlow or Keras release that one interpreter has installed.

Run by that interpreter (CPython 3.6 or newer, standard library only): `python -m extract_api --root keras OUT.json`, with the
folder above this one on PYTHONPATH. `tools.build_api_history` makes the environments, calls this, and merges what it writes.
"""
