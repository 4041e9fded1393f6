"""What runs inside the target interpreter, and the runner that starts it.

The scripts here (all but the runner) are self-contained: the standard library only, Python 3.6 and newer, never
imported by envcheck. Each is started as ``python SCRIPT ANSWER REQUEST``, both paths of files; it writes its answer as
JSON Lines and closes it with ``{"done": true}``.
"""
