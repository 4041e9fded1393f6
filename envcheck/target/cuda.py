"""Runs in the target interpreter: loads the CUDA driver's library as a program would, and asks it call by call.

Every call is announced before it is made and the line is flushed, so that a hang or a crash shows where it happened::

    {"call": "cuInit", "device": null}                            about to be made
    {"what": "init", "device": null, "value": 0}                  its answer
    {"what": "init", "device": null, "error": {"code": 100, "name": "CUDA_ERROR_NO_DEVICE", "detail": ""}}

No context is created: no memory of the GPU is taken. cuInit may load the kernel module and create device nodes, as for every
CUDA program. Needs Python 3.6 and its standard library. Sources: cuda.h; TensorFlow opens ``libcuda.so.1``, on Windows
``nvcuda.dll`` (third_party/xla/xla/tsl/platform/default/dso_loader.cc).
"""

import os
import sys

# sys.path[0] is the folder of this script: nothing in it, nor in the current folder, may stand for a standard module.
_OWN = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [entry for entry in sys.path if entry and os.path.abspath(entry) not in (_OWN, os.getcwd())]

import ctypes  # noqa: E402
import json  # noqa: E402

LIBRARY = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
MOST = 256  # devices that are asked one by one: a count beyond that is no count
MAJOR, MINOR, INTEGRATED, COMPUTE_MODE = 75, 76, 18, 20  # CUdevice_attribute


class Refused(Exception):  # noqa: N818 - an answer, no error of this script
    """CUDA answered a code other than 0."""

    def __init__(self, code):
        Exception.__init__(self, code)
        self.code = code


def loaded(library):
    """The file that the loader chose for a library, as the loader names it; None where it cannot be told."""
    if sys.platform == "win32":
        name = ctypes.create_unicode_buffer(32768)
        module_name = ctypes.windll.kernel32.GetModuleFileNameW
        module_name.argtypes = [ctypes.c_void_p, ctypes.c_wchar_p, ctypes.c_uint]
        return name.value if module_name(library._handle, name, len(name)) else None
    return by_link_map(library) or by_maps()


def by_link_map(library):
    """dlinfo(3), which glibc and musl have: struct link_map starts with an address and the name of the file."""

    class LinkMap(ctypes.Structure):
        _fields_ = [("address", ctypes.c_void_p), ("name", ctypes.c_char_p)]

    try:
        dlinfo = ctypes.CDLL(None).dlinfo
        dlinfo.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]
        found = ctypes.POINTER(LinkMap)()
        if dlinfo(library._handle, 2, ctypes.byref(found)) == 0 and found and found.contents.name:
            return os.fsdecode(found.contents.name)
    except (AttributeError, OSError):
        pass
    return None


def by_maps():
    """The file in this process's memory whose name starts like libcuda's."""
    try:
        with open("/proc/self/maps", "rb") as maps:
            paths = [os.fsdecode(line.rstrip(b"\n").split(None, 5)[5]) for line in maps if line.count(b"/")]
    except (OSError, IndexError):
        return None
    return next((path for path in paths if os.path.basename(path).startswith("libcuda.so")), None)


def passed_over(said):
    """Files of the library's name on LD_LIBRARY_PATH of which the loader says nothing, as it does of some: in words."""
    found = []
    folders = os.environ.get("LD_LIBRARY_PATH") or ""
    for folder in folders.split(":") if folders else ():
        path = os.path.join(folder or ".", LIBRARY)
        if os.path.lexists(path) and path not in said:
            why = "not for this processor" if os.path.exists(path) else "a link that leads nowhere"
            found.append("passed over: {} ({})".format(path, why))
    return found


class Asker:
    """Puts questions to the library and writes the answers down."""

    def __init__(self, answer):
        self.answer = answer
        self.library = None

    def write(self, **record):
        """One line of the answer, on disk before the next call."""
        self.answer.write(json.dumps(record) + "\n")
        self.answer.flush()

    def load(self):
        """Open the library; whether that went well."""
        self.write(call="dlopen " + LIBRARY, device=None)
        try:
            self.library = getattr(ctypes, "WinDLL", ctypes.CDLL)(LIBRARY)
        except OSError as refused:
            detail = "; ".join([str(refused), *passed_over(str(refused))])
            self.write(what="library", device=None, error={"code": None, "name": "", "detail": detail})
            return False
        path = loaded(self.library)
        value = {"path": path, "real": os.path.realpath(path) if path else None}
        self.write(what="library", device=None, value=value)
        return True

    def call(self, function, *arguments):
        """Call a function of the library; raises Refused for every code but 0, AttributeError where it is missing."""
        code = getattr(self.library, function)(*arguments)
        if code:
            raise Refused(code)

    def ask(self, what, device, *forms):
        """Make the first call, and each further one only when the library lacks the one before.

        A form is the name of a function and what makes the call and returns the answer. Returns whether it was answered,
        and what.
        """
        error = {}
        for function, make in forms:
            self.write(call=function, device=device)
            try:
                value = make()
            except Refused as refused:
                error = {"code": refused.code, "name": self.name(refused.code), "detail": ""}
                break
            except AttributeError:
                error = {"code": None, "name": "MISSING", "detail": function}
            else:
                self.write(what=what, device=device, value=value)
                return True, value
        self.write(what=what, device=device, error=error)
        return False, None

    def name(self, code):
        """The library's own name of a code; empty where it has none."""
        self.write(call="cuGetErrorName", device=None)
        text = ctypes.c_char_p()
        try:
            self.call("cuGetErrorName", code, ctypes.byref(text))
        except (AttributeError, Refused):
            return ""
        return (text.value or b"").decode("utf-8", "replace")

    def number(self, function, *arguments):
        """A form whose answer is one number, written to its first argument."""

        def make():
            found = ctypes.c_int(0)
            self.call(function, ctypes.byref(found), *arguments)
            return found.value

        return function, make

    def text(self, function, handle, size=256):
        """A form whose answer is text."""

        def make():
            found = ctypes.create_string_buffer(size)
            self.call(function, found, size - 1, handle)
            return found.value.decode("utf-8", "replace")

        return function, make

    def uuid(self, function, handle):
        """A form whose answer is sixteen bytes."""

        def make():
            found = (ctypes.c_ubyte * 16)()
            self.call(function, found, handle)
            digits = "".join("%02x" % byte for byte in found)
            return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

        return function, make

    def memory(self, function, handle):
        """A form whose answer is a number of bytes."""

        def make():
            found = ctypes.c_size_t(0)
            self.call(function, ctypes.byref(found), handle)
            return found.value

        return function, make

    def device(self, ordinal):
        """What CUDA says of one device; one that it does not hand out is left at that."""
        answered, handle = self.ask("handle", ordinal, self.number("cuDeviceGet", ordinal))
        if not answered:
            return
        self.ask("name", ordinal, self.text("cuDeviceGetName", handle))
        self.ask("uuid", ordinal, self.uuid("cuDeviceGetUuid_v2", handle), self.uuid("cuDeviceGetUuid", handle))
        self.ask("pci", ordinal, self.text("cuDeviceGetPCIBusId", handle, 64))
        attributes = {"major": MAJOR, "minor": MINOR, "integrated": INTEGRATED, "compute_mode": COMPUTE_MODE}
        for what in sorted(attributes):
            self.ask(what, ordinal, self.number("cuDeviceGetAttribute", attributes[what], handle))
        self.ask("memory", ordinal, self.memory("cuDeviceTotalMem_v2", handle))


def main(answer):
    """Ask everything; the answer is complete when this returns."""
    asker = Asker(answer)
    if not asker.load():
        return
    asker.ask("version", None, asker.number("cuDriverGetVersion"))

    def initialise():
        asker.call("cuInit", 0)
        return 0

    if not asker.ask("init", None, ("cuInit", initialise))[0]:
        return
    answered, count = asker.ask("count", None, asker.number("cuDeviceGetCount"))
    for ordinal in range(min(count, MOST) if answered else 0):
        asker.device(ordinal)


if __name__ == "__main__":
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        main(file)
        file.write('{"done": true}\n')
