"""What the probe of the GPU libraries saw: each library, and all of them."""

from __future__ import annotations

from dataclasses import dataclass

from envcheck.probes.gpu_libraries.candidates import Candidate, Owner
from envcheck.probes.gpu_libraries.loader import Place
from envcheck.probes.gpu_libraries.xla import Tool


@dataclass(frozen=True, slots=True)
class Library:
    """One library that TensorFlow opens.

    ``name`` is without ``lib`` (``cublas``). ``searched`` are the places in order, ``path`` the file that wins,
    ``error`` why it is not loaded (empty when it is) and ``lacking`` the soname behind that: its own, or that of a library
    that it needs. ``proven`` tells whether the loader itself said so (None: it was not asked, or did not get that far);
    ``predicted`` is what reading the files said, where that differs. ``tried`` are the files that glibc says it tried.
    ``version`` is the library's own word; ``built_for_cuda`` the CUDA that cuDNN says it was built with. ``candidates``
    are all the files on this machine that could serve ``lacking``, or the library itself where nothing lacks. ``mending``
    are the folders that, put in front of LD_LIBRARY_PATH, make a library load that is not loaded now.
    """

    name: str
    soname: str
    searched: tuple[Place, ...] = ()
    path: str | None = None
    owners: tuple[Owner, ...] = ()
    version: str | None = None
    error: str = ""
    lacking: str = ""
    proven: bool | None = None
    predicted: str | None = None
    tried: tuple[str, ...] = ()
    built_for_cuda: str | None = None
    candidates: tuple[Candidate, ...] = ()
    mending: tuple[str, ...] = ()

    @property
    def loads(self) -> bool:
        """Whether it is loaded with all that it needs."""
        return self.path is not None and not self.error

    @property
    def usable(self) -> tuple[Candidate, ...]:
        """The files on this machine that would serve what lacks."""
        return tuple(candidate for candidate in self.candidates if not candidate.trouble)

    @property
    def damaged_part(self) -> Candidate | None:
        """The damaged file of a package that stands for a library that this one needs."""
        if self.lacking == self.soname or self.usable:
            return None
        return next((candidate for candidate in self.candidates if candidate.trouble and candidate.owners), None)

    @property
    def fault(self) -> str:
        """Why it is not loaded: a file is ``damaged``; it lies where nobody looks (``unreached``) or nowhere (``absent``);
        the loader takes the file and ``refused`` it. Empty when it is loaded."""
        if self.loads:
            return ""
        if self.lacking == self.soname and self.path is not None:
            return "damaged" if self.predicted is None else "refused"
        if self.usable:
            return "unreached"
        return "damaged" if self.damaged_part else "absent"

    @property
    def from_place(self) -> Place | None:
        """The place where the file that wins was found."""
        return next((place for place in self.searched if place.outcome == "found"), None)


@dataclass(frozen=True, slots=True)
class GpuLibrariesFacts:
    """The libraries, in TensorFlow's order.

    ``caller`` is the object that opens them. ``unproven`` says why the loader itself was not heard to the end; empty when
    it was. ``check`` is the verdict of TensorFlow's own check, after which it leaves all GPUs out: None where it has none
    that can be asked. ``cudnn_parts`` are the libraries that cuDNN brought along. ``cache_trouble`` is why ld.so.cache
    was not read. ``wheels`` are the installed distributions of NVIDIA that bring libraries. ``data_dir`` is the folder that
    XLA_FLAGS names.
    """

    caller: str
    libraries: tuple[Library, ...]
    unproven: str = ""
    check: bool | None = None
    cudnn_parts: tuple[str, ...] = ()
    library_path: tuple[str, ...] = ()
    cache_trouble: str = ""
    wheels: tuple[Owner, ...] = ()
    libdevice: Tool | None = None
    ptxas: Tool | None = None
    data_dir: str | None = None

    def stakes(self, *, visible: bool, required: bool) -> str | None:
        """How grave a library is that cannot be used: ``error`` where a GPU is visible or required.

        ``warning`` where there is none and the nvidia wheels are installed, which says that one is meant to be used with
        this environment somewhere; None where nobody asks for a GPU.
        """
        return "error" if visible or required else "warning" if self.wheels else None

    def find(self, name: str) -> Library | None:
        """The library called ``name``."""
        return next((library for library in self.libraries if library.name == name), None)
