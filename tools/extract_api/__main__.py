"""Extract one root: `python -m extract_api --root tensorflow OUT.json`."""

import argparse
import gc
import importlib
import inspect
import json
import os
import sys
import time
import types

from . import objects, sources, trials, walk

PRIVATE_NAMES_KEPT = ("keras", "tf_keras", "tensorflow.python.keras", "tensorflow.keras")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--root", required=True)
    parser.add_argument("--below", default="", help="walk only this part of the root (keras)")
    parser.add_argument("--no-modules", action="store_true", help="leave out the static part")
    parser.add_argument("output")
    options = parser.parse_args()
    del sys.argv[1:]  # tf.compat.v1.flags parses it when it is touched
    started = time.time()
    sys.setrecursionlimit(5000)
    record = extract(options.root, options.below, not options.no_modules)
    with open(options.output + ".part", "w") as stream:
        json.dump(record, stream, sort_keys=True, separators=(",", ":"))
    os.replace(options.output + ".part", options.output)
    sys.stdout.write(
        "%s: %d names, %d objects, %d modules, %.0f s\n"
        % (options.root, len(record["names"]), len(record["objects"]), len(record["modules"]), time.time() - started)
    )


def extract(root, below, static):
    """One root's record, plain data."""
    walker = walk.Walk(root)
    bare = walker.names()
    lazy = root + ".contrib"  # attribute access loads it, with all that it imports of itself
    late = [name for name in walk.loaded(root) if name.startswith(lazy) and walker.reaches(name)]
    walker.bound = sorted(set(walker.bound).union(late))
    after = with_imports(walker, root, bare)
    if below:
        bare, after = (
            {name: value for name, value in found.items() if name == below or name.startswith(below + ".")}
            for found in (bare, after)
        )
    parsed = sources.Sources()
    public, names = number(after, walker.entered)
    described = objects.Describe(public, parsed).all()
    for thing, facts in zip(public, described):
        if inspect.isclass(thing) and is_cheap(thing):
            outcome = trials.run(thing)
            if outcome:
                facts["keywords"] = outcome
    gc.collect()
    return {
        "root": root,
        "python": "%d.%d" % sys.version_info[:2],
        "versions": versions(),
        "names": names,
        "imported": sorted(set(after) - set(bare)),
        "importable": importable(root, after),
        "objects": described,
        "bound": walker.bound,
        "modules": static_modules(root, parsed, public, names) if static else {},
    }


def with_imports(walker, root, bare):
    """The names of a bare import, and those that importing the root's other public modules adds; what raises is imported too."""
    late = import_rest(walker, root)
    found = walker.names() if late else dict(bare)
    for name, value in sorted(found.items()):
        if isinstance(value, walk.Raises):
            module = importable_module(root + "." + name)
            if module is not None:
                late[name] = module
                found.pop(name)
                bare.pop(name, None)
    for name, module in sorted(late.items()):
        if name not in found:  # the import bound it elsewhere than attribute access looks
            found[name] = module
            if walker.enters(name, module):
                walker.entered.add(name)
                for inner in walk.listed(module):
                    found.setdefault(name + "." + inner, walk.attribute(module, inner))
    return found


def importable_module(name):
    """The module of that name where it can be imported, else None."""
    try:
        return importlib.import_module(name)
    except Exception:  # a lazy loader that cannot load is simply not there
        return None


def import_rest(walker, root):
    """Import the public modules that a bare import of the root leaves out. Returns them by name, without the root."""
    base = walker.module if root != "tensorflow" else getattr(walker.module, "keras", None)
    prefix = root if root != "tensorflow" else "tensorflow.keras"
    missing = {}
    try:
        folder = os.path.dirname(base.__file__)
    except (AttributeError, TypeError, ImportError):
        return missing
    tree = walker.tree if walker.tree is not None else walk.folders(folder)
    for name in sorted(tree):
        first = name.split(".")[0]
        if (root != "tensorflow" and first in walk.IMPLEMENTATION[root]) or first in (
            "legacy_tf_layers",
            "integration_test",
            "testing_infra",
            "engine",
        ):
            continue
        thing = base
        try:
            for part in name.split("."):
                thing = getattr(thing, part)
        except Exception:
            try:
                module = importlib.import_module(prefix + "." + name)
                missing[(prefix + "." + name).partition(".")[2]] = module
            except Exception as error:  # said, and left absent
                sys.stderr.write("cannot import %s.%s: %s\n" % (prefix, name, error))
    return missing


def number(found, entered):
    """Objects in a fixed order, and names by number: (objects, {name: number or fact}).

    A fact is {"module": …}, {"same": …}, {"raises": …} or {"data": …}.
    """
    public, numbers, names = [], {}, {}
    # `found` keeps every object alive, so that ids stay apart.
    for name in sorted(found, key=lambda text: (text.count("."), text)):
        value = found[name]
        if isinstance(value, walk.SameModule):
            names[name] = {"same": value.path}
        elif isinstance(value, walk.Raises):
            names[name] = {"raises": value.error}
        elif isinstance(value, types.ModuleType):
            names[name] = {
                "module": walk.origin_name(value).replace("tensorflow_core", "tensorflow"),
                "entered": name in entered,
            }
        elif is_plain(value):
            names[name] = {"data": type(value).__name__}
        else:
            if id(value) not in numbers:
                numbers[id(value)] = len(public)
                public.append(value)
            names[name] = numbers[id(value)]
    return public, names


def is_plain(value):
    """Constants, which are equal by value and have no identity of their own."""
    return value is None or isinstance(value, (bool, int, float, str, bytes, tuple, list, dict, set, frozenset))


def is_cheap(cls):
    """Whether a class is one whose keywords are worth trying: a Keras one, but no model: that is made of other arguments."""
    module = getattr(cls, "__module__", "") or ""
    parts = module.split(".")
    return (
        ("keras" in parts or "tf_keras" in parts)
        and any(
            name in parts
            for name in trials.MODULES + ("optimizer_v2", "optimizer_v1", "optimizer_experimental", "engine")
        )
        and not issubclass(cls, BaseException)
        and cls.__name__ not in ("Model", "Functional", "Sequential")
    )


def importable(root, found):
    """The public modules that `import root.name` can import, tried."""
    works = []
    for name in sorted(found):
        value = found[name]
        if isinstance(value, (types.ModuleType, walk.SameModule)) and not (
            isinstance(value, types.ModuleType) and walk.origin_name(value).split(".")[0] not in walk.FAMILY
        ):
            try:
                importlib.import_module(root + "." + name)
            except Exception:
                continue
            works.append(name)
    return works


def static_modules(root, parsed, public, names):
    """{module: {"names": [...], "open": bool, "public": {name: public name}}} read from the installed files."""
    site = next(
        folder for folder in sys.path if os.path.isdir(os.path.join(folder, root)) and "site-packages" in folder
    )
    found = {}
    for base in [
        os.path.join(site, folder) for folder in (root, root + "_core")
    ]:  # TensorFlow 1.15-2.0 lie in tensorflow_core
        if os.path.isdir(base):
            for name, path, package in sources.modules(base, root):
                found[name] = (path, package)
    top = sources.TopLevel(found, parsed)
    number_to_name = {}
    for name in sorted(
        names, key=lambda text: ("compat" in text, "experimental" in text, text.count("."), len(text), text)
    ):
        if isinstance(names[name], int):
            number_to_name.setdefault(names[name], name)
    by_id = {id(thing): number_to_name[place] for place, thing in enumerate(public)}
    loaded = walk.loaded(root)
    record = {}
    for module in sorted(found):
        if module.startswith(("tensorflow._api", "tensorflow.keras", "keras.api", "tf_keras.api")):
            continue  # the public names once more
        listed, is_open = top.names(module)
        live = loaded.get(module)
        if live is not None:  # what its own code removed or added when it ran is seen
            listed = {name for name in set(listed) | set(vars(live)) if has(live, name)}
            is_open = "__getattr__" in vars(live)
        private = any(module == kept or module.startswith(kept + ".") for kept in PRIVATE_NAMES_KEPT)
        kept = sorted(name for name in listed if (private and not name.startswith("__")) or not name.startswith("_"))
        aliases = {}
        for name in kept:
            value = vars(live).get(name) if live is not None else None
            if value is not None and id(value) in by_id:
                aliases[name] = by_id[id(value)]
        record[module] = {"names": kept, "open": is_open, "public": aliases}
    return record


def has(module, name):
    """Whether a loaded module holds a name that is none of its own submodules alone."""
    value = vars(module).get(name, None)
    if isinstance(value, types.ModuleType) and getattr(value, "__name__", "") == "%s.%s" % (module.__name__, name):
        return False  # a submodule is a module of its own in the record, wherever it was imported
    return name in vars(module)


def versions():
    """The releases of what was looked at."""
    found = {}
    for name in ("tensorflow", "keras", "tf_keras", "tensorflow_estimator"):
        module = sys.modules.get(name)
        version = getattr(module, "__version__", None) if module is not None else None
        if isinstance(version, str):
            found[name] = version
    return found


main()
