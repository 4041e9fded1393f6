"""Are the libraries that TensorFlow opens for a GPU found, and do they load?"""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from packaging.requirements import Requirement

from envcheck.findings import Finding, Fix, Link, Severity, Skip, check
from envcheck.inventory import Unavailable

if TYPE_CHECKING:
    from envcheck.inventory import Expectations
    from envcheck.knowledge.matrix import Matrix
    from envcheck.probes.environment import EnvironmentFacts
    from envcheck.probes.gpu import GpuFacts
    from envcheck.probes.gpu_libraries import GpuLibrariesFacts, Library
    from envcheck.probes.packages import PackagesFacts
    from envcheck.probes.python import PythonFacts
    from envcheck.probes.tensorflow import TensorFlowFacts

EXTRA = "and-cuda"
VERIFY = "envcheck doctor --select GPU2"


@check(
    "GPU207",
    "The libraries that TensorFlow opens for a GPU are found and load",
    unless="SMK108",
    explains=("SMK107",),
    link=Link.CUDA_LIBRARIES,
)
def gpu_libraries(
    gpu_libraries: GpuLibrariesFacts,
    tensorflow: TensorFlowFacts,
    packages: PackagesFacts,
    python: PythonFacts,
    gpu: GpuFacts | Unavailable,
    environment: EnvironmentFacts,
    expectations: Expectations,
    matrix: Matrix,
) -> Iterator[Finding]:
    """One of CUDA's libraries is not found where TensorFlow looks, or cannot be loaded, and TensorFlow then uses no GPU.

    Cause: TensorFlow opens cuBLAS, cuFFT, cuSOLVER, cuSPARSE, cuDNN and the CUDA runtime by name when it looks for GPUs; if
    one of them fails, it leaves all GPUs out and says hardly more than "Cannot dlopen some GPU libraries". A library is not
    found because its package is not installed, because it lies where the loader does not look (a fault of some releases, or
    a toolkit that is on no path), because a file of it is damaged, or because a library that it needs in turn is missing.

    How to fix: as the finding says: install the one package, or put the one folder on LD_LIBRARY_PATH, before Python starts.

    Source: ld.so(8); MaybeTryDlopenGPULibraries in tensorflow's dlopen_checker.cc; the loader function of the installed
    TensorFlow itself, which is called in a child
    """
    if expectations.device == "cpu":
        raise Skip("no GPU is wanted: --device cpu")
    failing = [
        library
        for library in gpu_libraries.libraries
        if not library.loads and _needed(matrix, library.soname, tensorflow.version)
    ]
    if not failing:
        return
    visible = not isinstance(gpu, Unavailable) and bool(gpu.visible(environment.variables).devices)
    stakes = gpu_libraries.stakes(visible=visible, required=expectations.gpu_required)
    case = _Case(gpu_libraries, tensorflow, packages, python, matrix)
    if stakes is None:
        there = "the CUDA libraries are not installed, and no GPU is here or required"
        raise Skip(f"{there}; to use one, {case.whole_summary}: {case.whole_command}" if case.whole_command else there)
    for judge in (case.damaged, case.unreached, case.absent, case.refused):
        finding = judge(failing, Severity(stakes))
        if finding is not None:
            yield finding


def _needed(matrix: Matrix, soname: str, version: str) -> bool:
    row = matrix.gpu_library(soname, version)
    return row is not None and row.need == "gpu"


class _Case:
    """The libraries that fail, told by their cause: one finding for each."""

    def __init__(
        self,
        facts: GpuLibrariesFacts,
        tensorflow: TensorFlowFacts,
        packages: PackagesFacts,
        python: PythonFacts,
        matrix: Matrix,
    ) -> None:
        self._facts = facts
        self._tensorflow = tensorflow
        self._python = python
        self._matrix = matrix
        dist = packages.find(tensorflow.distribution)
        self._extra = _extra(dist.requires if dist else ())

    @property
    def whole_summary(self) -> str:
        """What brings all of the libraries at once, as an order."""
        return "install TensorFlow together with NVIDIA's packages"

    @property
    def whole_command(self) -> str:
        """The command that does; empty where this release has no such extra."""
        if not self._extra:
            return ""
        return self._python.install(f"{self._tensorflow.distribution}[{EXTRA}]=={self._tensorflow.version}")

    def damaged(self, failing: Sequence[Library], severity: Severity) -> Finding | None:
        """Files that are there and are none that can be loaded."""
        found = [each for each in failing if each.fault == "damaged"]
        if not found:
            return None
        first = found[0]
        inner = first.damaged_part
        path = inner.path if inner else first.path or ""
        summary, commands = self._replaced(path, first)
        what = dict.fromkeys(
            f"{part.path} is {part.trouble}" if (part := each.damaged_part) else each.error for each in found
        )
        return Finding(
            f"{_list(what)}: TensorFlow {self._tensorflow.version} cannot load {_list(each.soname for each in found)}; "
            f"{_outcome(found)}",
            Fix(summary, commands, VERIFY),
            symbol=first.soname,
            evidence=self._evidence(found),
            severity=severity,
        )

    def _replaced(self, path: str, library: Library) -> tuple[str, tuple[str, ...]]:
        owners = next((each.owners for each in library.candidates if each.path == path), library.owners)
        if owners:
            names = [f"{owner.name}=={owner.version}" for owner in owners[:1]]
            return f"put the files of {owners[0].name} back", (self._python.reinstall(*names),)
        folder = posixpath.dirname(path)
        if folder in self._facts.library_path:
            left = [each for each in self._facts.library_path if each != folder]
            line = f"export LD_LIBRARY_PATH={shlex.quote(':'.join(left))}" if left else "unset LD_LIBRARY_PATH"
            return f"take {folder} off LD_LIBRARY_PATH, which is searched first", (line,)
        return f"replace {path}: install again what brought it", ()

    def unreached(self, failing: Sequence[Library], severity: Severity) -> Finding | None:
        """Libraries that lie on this machine, where the loader does not look."""
        found = [each for each in failing if each.fault == "unreached"]
        if not found:
            return None
        roots: dict[str, Library] = {each.lacking: each for each in found}
        lies = {root: library.usable[0] for root, library in roots.items()}
        folders = list(dict.fromkeys(posixpath.dirname(candidate.path) for candidate in lies.values()))
        path = list(dict.fromkeys(folder for each in found for folder in each.mending)) or folders
        owners = dict.fromkeys(f"{owner.name} {owner.version}" for each in lies.values() for owner in each.owners)
        they = "they lie" if len(roots) > 1 else "it lies"
        by = f", brought by {_list(owners)}" if owners else ""
        line = f"export LD_LIBRARY_PATH={shlex.quote(':'.join(path))}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"
        return Finding(
            f"TensorFlow {self._tensorflow.version} does not find {_list(roots)}{_wanted_by(roots, found)}: "
            f"{they} in {_list(map(self._short, folders))}{by}, and no place that is searched leads there; {_outcome(found)}. "
            f"{self._searched(found[0])}",
            Fix(
                f"put the {'folders' if len(path) > 1 else 'folder'} on LD_LIBRARY_PATH before Python starts",
                (line,),
                VERIFY,
                safe=True,
            ),
            symbol=next(iter(roots)),
            evidence=self._evidence(found),
            severity=severity,
        )

    def absent(self, failing: Sequence[Library], severity: Severity) -> Finding | None:
        """Libraries of which there is no file on this machine."""
        found = [each for each in failing if each.fault == "absent"]
        if not found:
            return None
        roots = {each.lacking: each for each in found}
        summary, commands = self._install(list(roots))
        other = [f"{each.path} is {each.trouble}" for library in found for each in library.candidates]
        return Finding(
            f"TensorFlow {self._tensorflow.version} does not find {_list(roots)}{_wanted_by(roots, found)}: "
            + (f"{_list(dict.fromkeys(other))}" if other else "no such file is on this machine")
            + f"; {_outcome(found)}. {self._searched(found[0])}",
            Fix(summary, commands, VERIFY),
            symbol=next(iter(roots)),
            evidence=self._evidence(found),
            severity=severity,
        )

    def _install(self, sonames: Sequence[str]) -> tuple[str, tuple[str, ...]]:
        """What brings these libraries, exactly."""
        version, build = self._tensorflow.version, self._tensorflow.build
        rows = [self._matrix.gpu_library(soname, version) for soname in sonames]
        if self._tensorflow.vendor == "conda":
            names = list(dict.fromkeys(row.conda for row in rows if row and row.conda))
            line = ["conda", "install", "--prefix", self._python.prefix, "--channel", "conda-forge", *names]
            return "install the package that brings it", (shlex.join(line),) if names else ()
        if self._tensorflow.vendor == "ngc":
            return "start from NVIDIA's image again: its own libraries are not all there", ()
        wheels = list(dict.fromkeys(row.wheel for row in rows if row and row.wheel))
        if self._extra and all(row and row.wheel in self._extra for row in rows) and self._facts.wheels:
            some = "packages that bring them" if len(wheels) > 1 else "package that brings it"
            line_ = self._python.install(*(self._extra[wheel] for wheel in wheels))
            return f"install the {some}, in the version that this TensorFlow asks for", (line_,)
        if self._extra:
            return self.whole_summary, (self.whole_command,)
        return (
            f"this release has no extra that brings them: install CUDA {build.cuda} and cuDNN {build.cudnn} on this machine "
            f"and put their folders on LD_LIBRARY_PATH, or move to a release with `tensorflow[{EXTRA}]`",
            (),
        )

    def refused(self, failing: Sequence[Library], severity: Severity) -> Finding | None:
        """Libraries that are found, and that the loader refuses for another reason."""
        found = [each for each in failing if each.fault == "refused"]
        if not found:
            return None
        first = found[0]
        owners = first.owners
        commands = (self._python.reinstall(f"{owners[0].name}=={owners[0].version}"),) if owners else ()
        return Finding(
            f"TensorFlow {self._tensorflow.version} finds {_list(each.soname for each in found)} and cannot load it: "
            f"{_list(dict.fromkeys(each.error for each in found))}; {_outcome(found)}",
            Fix("install again what brings it, in a version for this system", commands, VERIFY),
            symbol=first.soname,
            evidence=self._evidence(found),
            severity=severity,
        )

    def _searched(self, library: Library) -> str:
        """Every place in the order of searching, folders that are not there only counted."""
        groups: dict[str, dict[str, None]] = {}
        lost: dict[str, int] = {}
        for place in library.searched:
            shown = groups.setdefault(place.how, {})
            if place.how == "ld.so.cache":
                shown[place.outcome if place.outcome != "found" else place.path] = None
            elif place.outcome == "no such folder":
                lost[place.how] = lost.get(place.how, 0) + 1
            else:
                shown[self._short(place.folder)] = None
        words = [] if "LD_LIBRARY_PATH" in groups else ["LD_LIBRARY_PATH (not set)"]
        for how, shown in groups.items():
            name = f"the run path of {posixpath.basename(self._facts.caller)}" if how == "run path" else how
            gone = f"{lost[how]} that do not exist" if how in lost else ""
            words.append(f"{name} ({', '.join(filter(None, (*shown, gone)))})")
        return f"Searched, in this order: {'; '.join(words)}. (… is {self._site})"

    @property
    def _site(self) -> str:
        return posixpath.dirname(self._tensorflow.folder or "/")

    def _short(self, folder: str) -> str:
        """A folder of this environment as a reader tells it from the others."""
        return f"…{folder.removeprefix(self._site)}" if folder.startswith(f"{self._site}/") else folder

    def _evidence(self, libraries: Sequence[Library]) -> dict[str, Any]:
        return {
            "proven": not self._facts.unproven,
            "unproven": self._facts.unproven,
            "libraries": {
                library.soname: {
                    "error": library.error,
                    "lacking": library.lacking,
                    "searched": [[place.how, place.path, place.outcome] for place in library.searched],
                    "candidates": [candidate.path for candidate in library.candidates],
                }
                for library in libraries
            },
        }


def _outcome(found: Sequence[Library]) -> str:
    return f"without {'it' if len(found) == 1 else 'them'} TensorFlow uses no GPU and trains on the CPU"


def _wanted_by(roots: dict[str, Library], found: Sequence[Library]) -> str:
    """``, which libcusolver.so.11 needs``: for libraries that TensorFlow does not open itself."""
    users = [each.soname for each in found if each.lacking != each.soname and each.lacking in roots]
    own = {each.soname for each in found if each.lacking == each.soname}
    return f", which {_list(users)} {'needs' if len(users) == 1 else 'need'}" if users and not own else ""


def _extra(requires: Sequence[str]) -> dict[str, str]:
    """The requirements of the extra with NVIDIA's packages, by their names without ``-cu12``; markers left out."""
    found = {}
    for text in requires:
        try:
            requirement = Requirement(text)
        except ValueError:
            continue
        if requirement.marker and requirement.name.startswith("nvidia-") and EXTRA in str(requirement.marker):
            name, _, suffix = requirement.name.rpartition("-cu")
            found[name if suffix.isdigit() else requirement.name] = f"{requirement.name}{requirement.specifier}"
    return found


def _list(names: Any) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    words = [str(name) for name in names]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}" if words else ""
