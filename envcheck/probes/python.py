"""The target interpreter: which Python, built how, managed by whom, searching where."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import PurePath

from envcheck.errors import UsageError
from envcheck.host import Host
from envcheck.target.runner import Record

DEADLINE = 20.0
"""Seconds that a bare interpreter may take to start, on a cold network file system too."""
OLDEST = (3, 6)
_START_UP = (
    "; it works with `-S`, so a file that Python runs whenever it starts breaks it: sitecustomize.py, usercustomize.py or "
    "a *.pth in its site-packages"
)


@dataclass(frozen=True, slots=True)
class PythonFacts:
    """What the target interpreter says of itself.

    ``version`` is the full version; ``bits`` is 32 or 64; ``soabi`` the ABI tag of extension modules. ``manager`` is one
    of ``conda``, ``uv``, ``venv``, ``system`` (the distribution's own) and ``standalone``; ``installer`` is ``pip``,
    ``uv`` or ``none``: what can install into it. ``sys_path`` is as a script would see it, its own folder left out.
    ``libc`` is ``glibc``, ``musl`` or empty where neither is known. ``standard_modules`` are the top-level names of the
    standard library, ``loaded_at_start`` those that no script can shadow any more.
    """

    executable: str
    version: str
    version_info: tuple[int, int, int]
    implementation: str
    bits: int
    soabi: str
    free_threaded: bool
    debug: bool
    prefix: str
    base_prefix: str
    stdlib: str
    manager: str
    installer: str
    externally_managed: bool
    sys_path: tuple[str, ...]
    user_site: str | None
    user_site_enabled: bool
    home: str
    libc: str
    libc_version: str
    marker_environment: dict[str, str]
    standard_modules: tuple[str, ...]
    builtin_modules: tuple[str, ...]
    loaded_at_start: tuple[str, ...]

    @property
    def series(self) -> str:
        """Major and minor version, as in ``3.12``."""
        return f"{self.version_info[0]}.{self.version_info[1]}"

    @property
    def platform(self) -> str:
        """``sys.platform`` of the target."""
        return self.marker_environment.get("sys_platform", "")

    def install(self, *requirements: str) -> str:
        """The command line that installs ``requirements`` into this very environment."""
        return self._command("install", *requirements)

    def reinstall(self, *requirements: str) -> str:
        """The command line that puts the very files of ``requirements`` back, leaving everything else as it is."""
        force = "--reinstall" if self.installer == "uv" else "--force-reinstall"
        return self._command("install", force, "--no-deps", *requirements)

    def uninstall(self, *names: str) -> str:
        """The command line that removes the distributions ``names`` from this very environment."""
        return (
            self._command("uninstall", *names) if self.installer == "uv" else self._command("uninstall", "-y", *names)
        )

    def _command(self, verb: str, *words: str) -> str:
        if self.installer == "uv":
            return shlex.join(["uv", "pip", verb, "--python", self.executable, *words])
        return shlex.join([self.executable, "-m", "pip", verb, *words])


def begin(host: Host) -> None:
    """Start the interpreter."""
    host.begin("describe", {}, deadline=DEADLINE)


def collect(host: Host) -> PythonFacts:
    """Ask the interpreter.

    Raises:
        UsageError: it cannot be started, does not answer, or is older than Python 3.6: nothing can be inspected.
    """
    ending = host.ask("describe", {}, deadline=DEADLINE)
    if not ending.answered or not ending.records:
        printed = " ".join(ending.output.splitlines()[-3:])[-600:].strip()
        raise UsageError(
            f"{host.python} is not a Python that works: it {ending.words()}"
            + (f" and printed: {printed}" if printed else "")
            + (_START_UP if _works_without_site(host) else "")
        )
    try:
        return _facts(host, ending.records[0])
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{host.python} is not a Python that works: its answer lacks {error}") from None


def _works_without_site(host: Host) -> bool:
    """Whether it works once the files are left out that Python runs whenever it starts."""
    if "python" not in PurePath(host.python).name.lower():
        return False
    environ = dict(host.environ)
    again = host.run(host.python, "describe", {}, deadline=DEADLINE, environ=environ, cwd=str(host.cwd), flags="S")
    return again.answered


def _facts(host: Host, answer: Record) -> PythonFacts:
    version_info = tuple(answer["version_info"])
    if version_info < OLDEST:
        raise UsageError(f"{host.python} is Python {answer['version']}; envcheck inspects Python 3.6 and newer")
    prefix, base_prefix, stdlib = answer["prefix"], answer["base_prefix"], answer["stdlib"]
    config = host.read(f"{prefix}/pyvenv.cfg") or ""
    externally_managed = host.exists(f"{stdlib}/EXTERNALLY-MANAGED")
    return PythonFacts(
        executable=answer["executable"] or host.python,
        version=answer["version"],
        version_info=version_info,
        implementation=answer["implementation"],
        bits=answer["bits"],
        soabi=answer["soabi"],
        free_threaded=answer["free_threaded"],
        debug=answer["debug"],
        prefix=prefix,
        base_prefix=base_prefix,
        stdlib=stdlib,
        manager=_manager(host, prefix, base_prefix, config, externally_managed),
        installer=_installer(host, answer["sys_path"], config),
        externally_managed=externally_managed and prefix == base_prefix,
        sys_path=tuple(answer["sys_path"]),
        user_site=answer["user_site"],
        user_site_enabled=answer["user_site_enabled"],
        home=answer["home"],
        libc=answer["libc"],
        libc_version=answer["libc_version"],
        marker_environment=answer["marker_environment"],
        standard_modules=tuple(answer["standard_modules"]),
        builtin_modules=tuple(answer["builtin_modules"]),
        loaded_at_start=tuple(answer["loaded_at_start"]),
    )


def _manager(host: Host, prefix: str, base_prefix: str, config: str, externally_managed: bool) -> str:
    if host.exists(f"{prefix}/conda-meta"):
        return "conda"
    if prefix != base_prefix:
        return "uv" if _made_by_uv(config) else "venv"
    if externally_managed or prefix in ("/usr", "/System/Library/Frameworks/Python.framework/Versions/3"):
        return "system"
    return "standalone"


def _installer(host: Host, sys_path: list[str], config: str) -> str:
    if any(host.exists(f"{folder}/pip/__init__.py") for folder in sys_path if folder):
        return "pip"
    return "uv" if _made_by_uv(config) or any("uv" in PurePath(folder).parts for folder in sys_path) else "none"


def _made_by_uv(config: str) -> bool:
    # uv writes "uv = <version>" into pyvenv.cfg: https://docs.astral.sh/uv/pip/environments/
    return any(line.partition("=")[0].strip() == "uv" for line in config.splitlines())
