"""Part of build.py, and of what asks it: the steps in their order, and which each of them needs. Standard library only."""

NEEDS = {
    "import": (),
    "make": ("import",),
    "build": ("make",),
    "compile": ("build",),
    "train": ("compile",),
    "save_load": ("build",),
    "memory": ("build",),
}
STEPS = tuple(NEEDS)
