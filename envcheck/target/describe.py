"""Runs in the target interpreter: what this Python is, and where it looks for modules.

Runs on Python 2.7 too, so that an interpreter that is too old can say so itself.
"""

import os
import sys

# A random.py or json.py on PYTHONPATH must not break the one who reports it: until the answer is written, only the
# standard library is searched.
AT_START = sorted(name for name in sys.modules if "." not in name)  # loaded before any script: nothing can shadow them
SEARCHED = list(sys.path)
STDLIB = os.path.dirname(os.__file__)
sys.path[:] = [STDLIB, os.path.join(STDLIB, "lib-dynload")] + [p for p in SEARCHED if p.endswith(".zip")]
if os.name == "nt":
    sys.path[:] += [p for p in SEARCHED if p.upper().endswith("DLLS")]

import json  # noqa: E402
import platform  # noqa: E402
import struct  # noqa: E402
import sysconfig  # noqa: E402


def standard_modules():
    names = getattr(sys, "stdlib_module_names", None)  # Python 3.10
    if names is None:
        names = set(sys.builtin_module_names)
        for folder in (STDLIB, os.path.join(STDLIB, "lib-dynload")):
            if os.path.isdir(folder):
                names.update(name.partition(".")[0] for name in os.listdir(folder))
    return sorted(name for name in names if name.isidentifier() and not name.startswith("_"))


def libc():
    """The C library of this very process: ("glibc", "2.36"), ("musl", "") or ("", "")."""
    if sys.platform == "win32":
        return "", ""
    try:
        name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
        if version:
            return name, version
    except (AttributeError, ValueError, OSError):
        pass
    triplet = str(sysconfig.get_config_var("HOST_GNU_TYPE") or "") + str(sysconfig.get_config_var("SOABI") or "")
    return ("musl", "") if "musl" in triplet else ("", "")


def user_site():
    site = sys.modules.get("site")
    if site is None:
        return None, False
    try:
        return site.getusersitepackages(), bool(site.ENABLE_USER_SITE)
    except Exception:  # no home directory: then there is no user site either
        return None, False


def marker_environment():
    """What PEP 508 markers are judged by."""
    version = ".".join(str(part) for part in sys.implementation.version[:3])
    if sys.implementation.version.releaselevel != "final":
        version += sys.implementation.version.releaselevel[0] + str(sys.implementation.version.serial)
    return {
        "implementation_name": sys.implementation.name,
        "implementation_version": version,
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": platform.python_version(),
        "python_version": "%d.%d" % sys.version_info[:2],
        "sys_platform": sys.platform,
    }


def describe(own_folder):
    site_path, site_enabled = user_site()
    libc_name, libc_version = libc()
    # sys.path[0] is the folder of this script; a user's script would have its own folder there instead.
    searched = [p for p in SEARCHED if os.path.realpath(p or ".") != own_folder]
    return {
        "executable": sys.executable,
        "version": platform.python_version(),
        "version_info": list(sys.version_info[:3]),
        "implementation": platform.python_implementation(),
        "bits": struct.calcsize("P") * 8,
        "soabi": sysconfig.get_config_var("SOABI") or "",
        "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
        "debug": hasattr(sys, "gettotalrefcount"),
        "prefix": sys.prefix,
        "base_prefix": getattr(sys, "base_prefix", sys.prefix),
        "stdlib": STDLIB,
        "sys_path": searched,
        "user_site": site_path,
        "user_site_enabled": site_enabled,
        "standard_modules": standard_modules() if sys.version_info >= (3, 6) else [],
        "builtin_modules": sorted(sys.builtin_module_names),
        "loaded_at_start": AT_START,
        "libc": libc_name,
        "libc_version": libc_version,
        "marker_environment": marker_environment() if sys.version_info >= (3, 6) else {},
        "home": os.path.expanduser("~"),
    }


if __name__ == "__main__":
    with open(sys.argv[1], "w") as answer:
        answer.write(json.dumps(describe(os.path.dirname(os.path.realpath(__file__)))) + "\n")
        answer.write('{"done": true}\n')
