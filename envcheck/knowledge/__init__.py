"""Typed access to compat_matrix/."""
