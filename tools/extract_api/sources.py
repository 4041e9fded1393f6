"""What the installed files say without being imported: modules, the names at their top level, attributes that methods set.

Everything is read with `ast`; a file that the running Python cannot parse is reported as open: nothing in it is called absent.
"""

import ast
import os

SKIPPED = {"__pycache__", "testdata", "include", "xla_aot_runtime_src"}


class Sources:
    """Parsed source files, each read once."""

    def __init__(self):
        self._trees = {}
        self._functions = {}
        self._attributes = {}

    def tree(self, path):
        """The syntax tree of a file, or None where it cannot be read or parsed."""
        if path not in self._trees:
            try:
                with open(path, "rb") as stream:
                    self._trees[path] = ast.parse(stream.read())
            except (OSError, SyntaxError, ValueError, RecursionError):
                self._trees[path] = None
        return self._trees[path]

    def function(self, code):
        """The syntax node of a function, found by its code object's file, name and first line; or None."""
        path = code.co_filename
        if path not in self._functions:
            index, tree = {}, self.tree(path)
            for node in ast.walk(tree) if tree is not None else ():
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    for line in {node.lineno} | {mark.lineno for mark in node.decorator_list}:
                        index[node.name, line] = node
            self._functions[path] = index
        return self._functions[path].get((code.co_name, code.co_firstlineno))

    def attributes(self, path, name):
        """Public attributes that the methods of class `name` in file `path` assign on self."""
        if path not in self._attributes:
            index, tree = {}, self.tree(path)
            for node in ast.walk(tree) if tree is not None else ():
                if isinstance(node, ast.ClassDef):
                    index.setdefault(node.name, set()).update(_assigned(node))
            self._attributes[path] = index
        return self._attributes[path].get(name, set())


def _assigned(node):
    for method in node.body:
        if not isinstance(method, ast.FunctionDef) or not method.args.args:
            continue
        me = method.args.args[0].arg
        for inner in ast.walk(method):
            if isinstance(inner, ast.Assign):
                targets = inner.targets
            elif isinstance(inner, (ast.AnnAssign, ast.AugAssign)):
                targets = [inner.target]
            else:
                continue
            for target in targets:
                for part in target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]:
                    if (
                        isinstance(part, ast.Attribute)
                        and isinstance(part.value, ast.Name)
                        and part.value.id == me
                        and not part.attr.startswith("_")
                    ):
                        yield part.attr


def modules(folder, name):
    """Every importable module in a package folder but unit tests: yields (dotted name, file, is a package).

    Args:
        folder: the package's folder.
        name: its dotted name.
    """
    init = os.path.join(folder, "__init__.py")
    if os.path.exists(init):
        yield name, init, True
    for entry in sorted(os.listdir(folder)):
        path = os.path.join(folder, entry)
        if os.path.isdir(path):
            if entry.isidentifier() and entry not in SKIPPED and holds_python(path):
                for found in modules(path, name + "." + entry):
                    yield found
        elif (
            entry.endswith(".py")
            and entry != "__init__.py"
            and entry[:-3].isidentifier()
            and not entry.endswith("_test.py")
        ):
            yield name + "." + entry[:-3], path, False
        elif entry.endswith((".so", ".pyd")) and entry.split(".")[0].isidentifier() and not entry.startswith("lib"):
            yield name + "." + entry.split(".")[0], path, False


def holds_python(folder):
    """Whether a folder is a package: it has an `__init__.py` (none of these projects ships namespace packages)."""
    return os.path.exists(os.path.join(folder, "__init__.py"))


class TopLevel:
    """The names that each module of some packages defines, imports or re-exports at its top level.

    Args:
        found: {dotted name: (file, is a package)}, as `modules` yields them.
        sources: where syntax trees come from.
    """

    def __init__(self, found, sources):
        self._found = found
        self._sources = sources
        self._known = {}

    def names(self, module):
        """(names, open) of one module; open says that it may hold names which reading cannot see."""
        if module in self._known:
            return self._known[module]
        self._known[module] = (frozenset(), True)  # a cycle of star imports
        path, package = self._found[module]
        if not path.endswith(".py"):
            self._known[module] = (frozenset(), True)
            return self._known[module]
        tree = self._sources.tree(path)
        if tree is None:
            return self._known[module]
        reader = _Reader(self, module, package)
        reader.block(tree.body)
        self._known[module] = (frozenset() if reader.emptied else frozenset(reader.names), reader.open)
        return self._known[module]

    def starred(self, module):
        """(names, open) that `from module import *` brings."""
        if module not in self._found:
            return frozenset(), True
        names, is_open = self.names(module)
        tree = self._sources.tree(self._found[module][0])
        listed = _listed(tree) if tree is not None else None
        if listed is not None:
            return frozenset(listed), is_open
        return frozenset(name for name in names if not name.startswith("_")), is_open

    def knows(self, module):
        """Whether a dotted name is one of the modules."""
        return module in self._found


def _listed(tree):
    """The names in a literal `__all__`, or None."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets
        ):
            try:
                value = ast.literal_eval(node.value)
            except ValueError:
                return None
            return [name for name in value if isinstance(name, str)]
    return None


class _Reader:
    def __init__(self, tops, module, package):
        self.tops, self.module, self.package = tops, module, package
        self.names, self.open, self.emptied = set(), False, False

    def block(self, body):
        for node in body:
            self.statement(node)

    def statement(self, node):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            self.names.add(node.name)
            if node.name == "__getattr__":
                self.open = True
        elif isinstance(node, ast.Import):
            for alias in node.names:
                self.names.add(alias.asname or alias.name.split(".")[0])
        elif isinstance(node, ast.ImportFrom):
            self.imported(node)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                self.target(target)
            self.dynamic(node.value)
        elif isinstance(node, (ast.AnnAssign, ast.AugAssign)):
            if not (isinstance(node, ast.AnnAssign) and node.value is None):
                self.target(node.target)
        elif isinstance(node, ast.Delete):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    self.names.discard(target.id)
        elif isinstance(node, ast.Expr):
            self.dynamic(node.value)
        elif isinstance(node, ast.If) and _never_on_import(node.test):
            self.block(node.orelse)
        else:
            self.nested(node)

    def nested(self, node):
        if isinstance(node, (ast.For, ast.AsyncFor)):
            self.target(node.target)
        for item in getattr(node, "items", ()):
            if item.optional_vars is not None:
                self.target(item.optional_vars)
        for field in ("body", "orelse", "finalbody"):
            inner = getattr(node, field, None)
            if isinstance(inner, list):
                self.block(inner)
        for handler in getattr(node, "handlers", ()):
            self.block(handler.body)

    def target(self, target):
        if isinstance(target, ast.Name):
            self.names.add(target.id)
        elif isinstance(target, (ast.Tuple, ast.List)):
            for part in target.elts:
                self.target(part)
        elif isinstance(target, ast.Starred):
            self.target(target.value)
        elif isinstance(target, ast.Subscript) and isinstance(target.value, ast.Call):
            self.open = True  # globals()[name] = …, sys.modules[…] = …
        elif (
            isinstance(target, ast.Subscript)
            and isinstance(target.value, ast.Attribute)
            and target.value.attr == "modules"
        ):
            self.open = True

    def imported(self, node):
        source = self.absolute(node)
        for alias in node.names:
            if alias.name == "*":
                names, is_open = self.tops.starred(source)
                self.names |= names
                self.open = self.open or is_open
            else:
                self.names.add(alias.asname or alias.name)

    def dynamic(self, value):
        """Whether a statement fills the module's namespace (globals().update(…), the builders of protobuf), or empties it."""
        for inner in ast.walk(value):
            name = getattr(inner.func, "attr", getattr(inner.func, "id", "")) if isinstance(inner, ast.Call) else ""
            if name in ("globals", "vars", "setattr", "exec"):
                self.open = True
            elif name == "remove_undocumented":  # it deletes all but what the docstrings of some modules name
                self.open, self.emptied = True, True

    def absolute(self, node):
        if not node.level:
            return (node.module or "").replace("tensorflow_core", "tensorflow")
        parts = self.module.split(".")
        keep = len(parts) - node.level + (1 if self.package else 0)
        return ".".join(parts[:keep] + ([node.module] if node.module else []))


def _never_on_import(test):
    """`if TYPE_CHECKING:` and `if __name__ == "__main__":`."""
    if isinstance(test, ast.Compare) and isinstance(test.left, ast.Name):
        return test.left.id == "__name__" and isinstance(test.ops[0], ast.Eq)
    return "TYPE_CHECKING" in (getattr(test, "id", ""), getattr(test, "attr", ""))
