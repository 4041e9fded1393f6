"""The compiler's tools that XLA looks for: ``libdevice`` and ``ptxas``, searched as XLA searches them.

Sources: ``CandidateCudaRoots`` in tsl's ``cuda_root_path.cc``; ``FindCudaExecutable`` in XLA's
``subprocess_compilation.cc`` (the folder of the flag, PATH, the roots); ``LibDevicePath`` in ``nvptx_libdevice_path.cc``.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from envcheck.host import Host

FLAG = "--xla_gpu_cuda_data_dir"
LIBDEVICE = "nvvm/libdevice"
BITCODE = "libdevice.10.bc"


@dataclass(frozen=True, slots=True)
class Tool:
    """A file that XLA needs: where it was searched, in order, where it is, and its version where it tells one."""

    name: str
    searched: tuple[str, ...]
    path: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Tools:
    """Both of them; ``data_dir`` is the folder that XLA_FLAGS names."""

    libdevice: Tool
    ptxas: Tool
    data_dir: str | None = None


def look(host: Host, folder: str, toolkit: str | None, variables: Mapping[str, str], path: str) -> Tools:
    """Search for both; ``folder`` is TensorFlow's, ``toolkit`` the folder compiled into it, ``path`` the variable PATH."""
    flag = data_dir(variables.get("XLA_FLAGS", ""))
    site = posixpath.dirname(folder)
    roots = [toolkit or "", "/usr/local/cuda", f"{site}/nvidia/cuda_nvcc", f"{folder}/cuda"]
    roots = list(dict.fromkeys(posixpath.normpath(root) for root in roots if root))
    named = [flag] if flag else []
    devices = [f"{root}/{LIBDEVICE}" for root in (*named, *roots)]
    # The first root with that folder is taken, whether or not the file is in it.
    device = next((each for each in devices if host.path(each).is_dir()), None)
    bitcode = f"{device}/{BITCODE}" if device and host.exists(f"{device}/{BITCODE}") else None
    bins = [*(f"{each}/bin" for each in named), *(each for each in path.split(":") if each.startswith("/"))]
    bins += [f"{root}/bin" for root in roots]
    ptxas = next((f"{each}/ptxas" for each in bins if host.exists(f"{each}/ptxas")), None)
    shown = tuple(
        dict.fromkeys(each for each in bins if each.endswith("/bin") and not each.startswith(("/usr/bin", "/bin")))
    )
    return Tools(Tool("libdevice", tuple(devices), bitcode), Tool("ptxas", shown, ptxas), flag)


def data_dir(flags: str) -> str | None:
    """The folder that ``XLA_FLAGS`` names, the last of several."""
    try:
        words = shlex.split(flags)
    except ValueError:  # a quotation mark without its partner
        words = flags.split()
    found = None
    for place, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name.replace("_", "-") == FLAG.replace("_", "-"):
            found = value if equals else (words[place + 1] if place + 1 < len(words) else None)
    return found


def ptxas_version(text: str) -> str | None:
    """``12.9.86`` of what ``ptxas --version`` prints: ``Cuda compilation tools, release 12.9, V12.9.86``."""
    match = re.search(r"\bV(\d+(?:\.\d+)+)", text) or re.search(r"release (\d+\.\d+)", text)
    return match[1] if match else None
