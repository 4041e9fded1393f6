"""envcheck: what every TensorFlow/Keras user runs before training.

Probes look, checks judge, reporters speak. See CONTRIBUTING.md for the house.
"""

import os
import sys

__version__ = "0.1.0"


def _own_modules_first() -> None:
    """Search the folders of PYTHONPATH, and with ``python -m`` the current one, after all others.

    They are what is to be judged: a ``typing.py`` there must be reported, and not imported by the one who reports it.
    What the inspected interpreter gets in its environment stays as it is.
    """
    named = [folder for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if folder]
    try:
        # Not pathlib: it would be the first victim.
        late = {os.path.abspath(folder) for folder in [*named, os.curdir]}  # noqa: PTH100
        sys.path.sort(key=lambda folder: os.path.abspath(folder or os.curdir) in late)  # noqa: PTH100
    except OSError:
        return  # the current folder was deleted: nothing can be imported from it


_own_modules_first()
