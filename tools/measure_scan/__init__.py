"""Measures `envcheck scan` against the real packages, by an oracle that shares no code with it.

The oracle reads source files by its own resolver (:mod:`.project`, :mod:`.statements`, :mod:`.imports`,
:mod:`.expressions`), asks the packages installed in an environment of each release (:mod:`.packages`, `inside/`), and
compares (:mod:`.comparison`).
"""
