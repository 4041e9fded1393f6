"""Asks each release which strings its `get` functions take, and which attributes live objects have that their classes lack."""
