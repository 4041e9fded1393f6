"""Runs in the target interpreter: TensorFlow's own loader opens its GPU libraries, one after the other, without TensorFlow.

``libtensorflow_framework.so.2`` is opened as it is, and the loader function inside it called: so the caller of dlopen, and
with it the run path that counts, is the one of a real run. Everything is announced before it is done, so that a crash or a
hang shows where it happened::

    {"call": "load", "library": "cublas"}                             about to be made
    {"library": "cublas", "loaded": true, "path": "/…/libcublas.so.12"}     its answer
    {"library": "cusolver", "loaded": false, "error": "…"}
    {"library": "cublas", "version": [12, 9, 3]}
    {"check": true}                                                   TensorFlow's own check of all of them
    {"trace": "…"}                                                    what glibc says that it searched (LD_DEBUG)

Standard library only, Python 3.6. Nothing of it needs a GPU.
"""

import os
import sys

# sys.path[0] is the folder of this script: nothing in it may stand for a standard module.
sys.path[:] = [
    p for p in sys.path if p and os.path.abspath(p) not in (os.path.dirname(os.path.abspath(__file__)), os.getcwd())
]

import ctypes  # noqa: E402
import json  # noqa: E402
import subprocess  # noqa: E402

OK = (0, 1)  # absl::Status: no pointer, or (absl from 2023 on) the inlined code 0 with its mark
LINK_MAP = 2  # RTLD_DI_LINKMAP of dlinfo(3)
TRACE = 4 * 1024 * 1024


class Status(ctypes.Structure):
    """A returned absl::Status, and more room than it takes.

    It is returned through a hidden pointer; a structure of this size makes ctypes pass one, on x86-64 and on aarch64.
    """

    _fields_ = [("words", ctypes.c_size_t * 8)]


class LinkMap(ctypes.Structure):
    """The start of glibc's struct link_map, <link.h>."""

    _fields_ = [("address", ctypes.c_void_p), ("name", ctypes.c_char_p)]


class Opener:
    """Opens libraries through TensorFlow's loader and writes down what came of it."""

    def __init__(self, answer):
        self.answer = answer
        self.handles = {}

    def write(self, **record):
        """One line of the answer, on disk before the next call."""
        self.answer.write(json.dumps(record) + "\n")
        self.answer.flush()

    def start(self, caller, symbols):
        """Open the object with the loader in it; the function, or None."""
        self.write(call="open", library="")
        try:
            self.framework = ctypes.CDLL(caller)
        except OSError as error:
            self.write(opened=False, error=str(error))
            return None
        for symbol in symbols:
            function = getattr(self.framework, symbol, None)
            if function is not None:
                function.restype = Status
                function.argtypes = [ctypes.c_char_p, ctypes.POINTER(ctypes.c_void_p)]
                self.write(opened=True, symbol=symbol)
                return function
        self.write(opened=False, error="it has no loader function")
        return None

    def load(self, function, library, sonames):
        """Load the first of ``sonames`` that can be loaded, as TensorFlow does."""
        for soname in sonames:
            self.write(call="load", library=library, soname=soname)
            handle = ctypes.c_void_p()
            status = function(os.fsencode(soname), ctypes.byref(handle)).words[0]
            if status in OK and handle.value:
                self.handles[library] = handle.value
                self.write(library=library, loaded=True, soname=soname, path=path_of(handle.value))
                return
        self.write(library=library, loaded=False)

    def check(self, symbols):
        """What TensorFlow's own check of all libraries answers; nothing where it has none."""
        for symbol in symbols:
            function = getattr(self.framework, symbol, None)
            if function is not None:
                self.write(call="check", library="")
                function.restype = Status
                function.argtypes = []
                self.write(check=function().words[0] in OK)
                return

    def version(self, library, wanted):
        """Ask a loaded library for its version: ``property`` by three calls, ``number`` by one."""
        try:
            opened = ctypes.CDLL(None, handle=self.handles[library])
            function = getattr(opened, wanted["function"])
        except (OSError, AttributeError):
            return
        self.write(call=wanted["function"], library=library)
        if wanted["kind"] == "property":  # libraryPropertyType of library_types.h: 0 major, 1 minor, 2 patch
            values = [ctypes.c_int(-1) for _ in range(3)]
            if all(function(place, ctypes.byref(value)) == 0 for place, value in enumerate(values)):
                self.write(library=library, version=[value.value for value in values])
        elif wanted["kind"] == "returned":
            function.restype = ctypes.c_size_t
            self.write(library=library, number=function(), of=wanted["function"])
        else:
            value = ctypes.c_int(-1)
            if function(ctypes.byref(value)) == 0:
                self.write(library=library, number=value.value, of=wanted["function"])

    def why(self, library, path):
        """What the loader says of a file that TensorFlow could not load."""
        self.write(call="explain", library=library)
        try:
            ctypes.CDLL(path)
        except OSError as error:
            self.write(library=library, error=str(error))


def path_of(handle):
    """The file behind a handle of dlopen; None where the C library does not tell."""
    for name in (None, "libdl.so.2"):
        try:
            dlinfo = ctypes.CDLL(name).dlinfo
        except (OSError, AttributeError):
            continue
        found = ctypes.POINTER(LinkMap)()
        if dlinfo(ctypes.c_void_p(handle), ctypes.c_int(LINK_MAP), ctypes.byref(found)) == 0 and found:
            path = found.contents.name
            return os.path.normpath(os.fsdecode(path)) if path else None
    return None


def mapped(word):
    """The files with ``word`` in their names that this process has mapped."""
    try:
        with open("/proc/self/maps", "rb") as maps:
            lines = maps.read().decode("utf-8", "surrogateescape").splitlines()
    except OSError:
        return []
    found = {line.split(None, 5)[5] for line in lines if len(line.split(None, 5)) == 6}
    return sorted(path for path in found if word in os.path.basename(path))


def trace(folder):
    """What glibc wrote down, and nothing where it is another C library."""
    try:
        with open(os.path.join(folder, "loader.%d" % os.getpid()), "rb") as file:
            return file.read(TRACE).decode("utf-8", "replace")
    except OSError:
        return ""


def printed(tool):
    """What a tool prints as its version; nothing where there is none, or it does not answer."""
    if not tool:
        return ""
    try:
        child = subprocess.Popen(
            [tool, "--version"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
    except OSError:
        return ""
    try:
        return child.communicate(timeout=5)[0].decode("utf-8", "replace")[:4000]
    except subprocess.TimeoutExpired:
        child.kill()
        return ""


def run(answer, asked):
    opener = Opener(answer)
    function = opener.start(asked["caller"], asked["loaders"])
    if function is None:
        return
    for library in asked["libraries"]:
        opener.load(function, library["name"], library["sonames"])
    opener.check(asked["checks"])
    opener.write(trace=trace(asked["folder"]))
    for library in asked["libraries"]:
        for wanted in library["versions"] if library["name"] in opener.handles else ():
            opener.version(library["name"], wanted)
    opener.write(mapped=mapped("libcudnn"))
    opener.write(ptxas=printed(asked["ptxas"]))
    for library in asked["libraries"]:
        if library["name"] not in opener.handles and library["file"]:
            opener.why(library["name"], library["file"])


def main():
    with open(sys.argv[2], "rb") as file:
        asked = json.loads(file.read().decode("utf-8"))
    if "traced" not in sys.argv[3:]:
        # LD_DEBUG is read when a process starts: this one starts anew with it.
        environ = dict(os.environ, LD_DEBUG="libs,files", LD_DEBUG_OUTPUT=os.path.join(asked["folder"], "loader"))
        os.execve(sys.executable, [sys.executable, "-B"] + sys.argv[:3] + ["traced"], environ)
    with open(sys.argv[1], "w") as answer:
        run(answer, asked)
        answer.write('{"done": true}\n')
    sys.stdout.flush()
    os._exit(0)  # what the libraries do at their end is not asked for


if __name__ == "__main__":
    main()
