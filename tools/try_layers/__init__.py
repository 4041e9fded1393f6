"""Compares the shape rules of :mod:`envcheck.model.layers` with real Keras, over seeded configurations of every layer.

:mod:`.spatial`, :mod:`.sequences`, :mod:`.others` and :mod:`.preparing` draw layers, their arguments and their inputs,
right ones and wrong ones; :mod:`.real` runs them where Keras is; :mod:`.comparing` judges.
"""
