"""The public names of one root package, as attribute access finds them in the running interpreter.

Modules are entered when they belong to the root's public tree; implementation packages (`tensorflow.python`, `keras.src`,
`keras.engine`, …) are named but not entered: `sources` reads them from their files.
"""

import importlib
import os
import sys
import types
import warnings

FAMILY = ("tensorflow", "tensorflow_core", "tensorflow_estimator", "tensorboard", "keras", "tf_keras")
IMPLEMENTATION = {
    "tensorflow": {
        "python",
        "core",
        "compiler",
        "tools",
        "examples",
        "include",
        "stream_executor",
        "tsl",
        "xla",
        "dtensor",
        "distribute",
        "lite",
        "security",
        "_api",
    },
    "keras": {"src", "api", "protobuf", "tests"},
    "tf_keras": {"src", "api", "protobuf", "tests"},
}
# TensorFlow's API folders hold copies of each other; these are the same names over again, four levels down.
COPIES = ("compat.v1.compat", "compat.v2.compat")


class Raises:
    """Stands for a name that is listed and cannot be had."""

    def __init__(self, error):
        self.error = type(error).__name__


class Walk:
    """Names under a root: {dotted name without the root: object}, and the modules entered.

    Args:
        root: the package's name.
    """

    def __init__(self, root):
        self.root = root
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.module = importlib.import_module(root)
        self.bound = sorted(name for name in loaded(root) if self.reaches(name))
        self.tree = api_tree(root, self.module)
        self.entered = set()

    def reaches(self, name):
        """Whether attribute access alone finds a loaded module."""
        thing = self.module
        for part in name.split(".")[1:]:
            thing = vars(thing).get(part) if isinstance(thing, types.ModuleType) else None
            if thing is None:
                return False
        return isinstance(thing, types.ModuleType)

    def names(self):
        """Walk the tree breadth first, so that the shortest name of a module is the one entered.

        Returns: {dotted name: object}; a module met again under a second name is there as `SameModule`.
        """
        found, entered = {}, {identity(self.module): ""}
        if self.root == "tensorflow" and hasattr(
            self.module, "keras"
        ):  # so that tf.losses is tf.keras.losses, and not the reverse
            found["keras"] = attribute(self.module, "keras")
            self.entered.add("keras")
            entered[identity(found["keras"])] = "keras"
            self.enter([("keras", found["keras"])], found, entered)
        self.enter([("", self.module)], found, entered)
        return found

    def enter(self, queue, found, entered):
        """Walk on from the modules in `queue`, breadth first."""
        while queue:
            deeper = []
            for path, module in queue:
                for name in sorted(listed(module)):
                    full = path + "." + name if path else name
                    if full in found:
                        continue
                    value = found[full] = attribute(module, name)
                    if not isinstance(value, types.ModuleType):
                        continue
                    first = entered.get(identity(value))
                    if first is not None:
                        found[full] = SameModule(first)
                    elif self.enters(full, value):
                        entered[identity(value)] = full
                        self.entered.add(full)
                        deeper.append((full, value))
            queue = deeper

    def is_api(self, path):
        """Whether the root's API tree names this module."""
        return self.tree is None or path in self.tree

    def enters(self, path, module):
        """Whether a module is part of the public tree."""
        name = origin_name(module)
        parts = name.split(".")
        if path.startswith(COPIES) or path.count(".") > 6:
            return False
        if self.root != "tensorflow":
            return parts[0] == self.root and path.split(".")[0] not in IMPLEMENTATION[self.root] and self.is_api(path)
        if parts[1:2] == ["contrib"]:
            return path.startswith("contrib") and path.count(".") <= 2
        in_api = any("api" in part for part in parts)
        return parts[0] in FAMILY and (
            in_api
            or not (len(parts) > 1 and parts[0].startswith("tensorflow") and parts[1] in IMPLEMENTATION["tensorflow"])
        )


class SameModule:
    """Stands for a module already walked under another name."""

    def __init__(self, path):
        self.path = path


def loaded(root):
    """The loaded modules of a root by name; those of tensorflow_core (TensorFlow 1.15 and 2.0) under the public root."""
    found = {}
    for name in sorted(sys.modules):
        module = sys.modules[name]
        if isinstance(module, types.ModuleType) and name.split(".")[0] in (root, root + "_core"):
            found.setdefault(root + name[len(name.split(".")[0]) :], module)
    return found


def listed(module):
    """The public names a module admits to: its dir, its dict and its __all__, `__version__` among them."""
    names = set()
    for look in (dir, vars):
        try:
            names.update(look(module))
        except Exception as error:  # a lazy loader may fail in any way; what it hides is then simply not listed
            sys.stderr.write("cannot list %s: %s\n" % (getattr(module, "__name__", module), error))
    everything = vars(module).get("__all__") or ()
    names.update(name for name in everything if isinstance(name, str))
    return {
        name
        for name in names
        if isinstance(name, str)
        and (not name.startswith("_") or name == "__version__")
        and not name.startswith("_tfll")
    }


def attribute(module, name):
    """One attribute, or `Raises`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = getattr(module, name)
            if isinstance(value, types.ModuleType):
                dir(value)  # loads a lazy one
            return value
    except Exception as error:
        return Raises(error)


def origin_name(module):
    """A module's own dotted name; that of a lazy loader is the module's it loads."""
    try:
        return str(object.__getattribute__(module, "__dict__").get("__name__") or module.__name__)
    except Exception:
        return ""


def identity(module):
    """What two names of one module share, lazy loaders and deprecation wrappers included: the file it was loaded from."""
    try:
        path = module.__file__
    except Exception:
        path = None
    return path or id(module)


def api_tree(root, module):
    """The dotted names of the modules in a root's API tree, or None where every module is public.

    keras 2.6-2.12 keep the API under keras/api/_v2/keras and the implementation in keras itself.
    """
    if root == "tensorflow":
        return None
    folder = os.path.dirname(module.__file__)
    tree = os.path.join(folder, "api", "_v2", "keras")
    if os.path.isdir(tree) and not os.path.isdir(os.path.join(folder, "src")):
        return folders(tree)
    return None


def folders(base):
    """Dotted names of the packages below a folder."""
    names = set()
    for folder, below, files in os.walk(base):
        below[:] = [name for name in below if name.isidentifier() and not name.startswith("_")]
        if "__init__.py" in files and folder != base:
            names.add(os.path.relpath(folder, base).replace(os.sep, "."))
    return names
