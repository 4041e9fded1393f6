"""The state file: what ``doctor --state FILE`` and ``smoke --state FILE`` leave behind for ``envcheck healthcheck``.

Reading it loads no more than json: a health check runs every few seconds.
"""

from __future__ import annotations

import datetime
import json
import os
import stat
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from envcheck.errors import UsageError

SCHEMA_VERSION = 1
"""Raised when a reader must change; new optional fields do not raise it."""
LARGEST = 1 << 20
"""Bytes of a state file that are read: 128 GPUs need 6 KiB."""
OK, FAILED, NOT_RUN = "ok", "failed", "not run"
"""How the smoke run went."""


class UnusableStateError(Exception):
    """There is no state, or none that can be used; the words end the sentence "the state file FILE …"."""


@dataclass(frozen=True, slots=True)
class Package:
    """A distribution that the smoke run imported. ``metadata`` is its metadata folder, which goes when another version comes."""

    name: str
    version: str
    metadata: str


@dataclass(frozen=True, slots=True)
class State:
    """What the last run found.

    ``when`` is an ISO 8601 time in UTC, ``exit_code`` that of the command. ``smoke`` is ``ok``, ``failed`` or ``not run``,
    and ``reason`` says why it is not ok. ``wanted`` is the device asked for (``auto``, ``cpu``, ``gpu``), ``device`` the one
    where the model really trained (``GPU:0``, ``CPU:0``; empty where nothing ran). ``gpus`` are the UUIDs of the GPUs
    that answered; None where the driver was not asked or could not be. ``python`` is the interpreter that was looked at,
    where that is not envcheck's own.
    """

    when: str
    exit_code: int
    smoke: str
    reason: str = ""
    wanted: str = "auto"
    device: str = ""
    gpus: tuple[str, ...] | None = None
    packages: tuple[Package, ...] = ()
    python: str = ""
    tool_version: str = ""
    schema_version: int = SCHEMA_VERSION

    @property
    def at(self) -> datetime.datetime:
        """``when`` as a time."""
        return datetime.datetime.strptime(self.when, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)


def check_state(file: str | None) -> None:
    """Complain early, before minutes of work.

    Raises:
        UsageError: no file can be put in that place.
    """
    if file is None:
        return
    path = _real(file)
    if file.endswith(os.sep) or (path.exists() and not path.is_file()):
        raise UsageError(f"--state {file}: this is no ordinary file; name one that may be replaced")
    if not path.parent.is_dir():
        raise UsageError(f"--state {file}: there is no folder {path.parent}; make it first")
    if not os.access(path.parent, os.W_OK):
        raise UsageError(
            f"--state {file}: the folder {path.parent} is not writable: the file is written beside and renamed"
        )


def write_state(file: str, state: State) -> None:
    """Replace the file in one step: whoever reads it meanwhile sees the old one or the new one, never a part.

    Raises:
        UsageError: it cannot be written.
    """
    path = _real(file)
    beside = path.with_name(f".{path.name[:200]}.{os.getpid()}")
    try:
        with beside.open("w", encoding="utf-8") as stream:
            stream.write(json.dumps({"schema_version": state.schema_version, **asdict(state)}, indent=1) + "\n")
            stream.flush()
            os.fsync(stream.fileno())  # a rename may reach the disk before the content
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise UsageError(f"cannot write {file}: {error.strerror}") from None


def read_state(file: str) -> State:
    """The state in ``file``.

    Raises:
        UnusableStateError: it is not there, cannot be read, or is no state.
    """
    try:
        data = _read(file)
    except OSError as error:
        raise UnusableStateError(f"cannot be read: {error.strerror}") from None
    except ValueError:  # a NUL in its name
        raise UnusableStateError("cannot be read: this is no name of a file") from None
    if len(data) > LARGEST:
        raise UnusableStateError(f"is larger than {LARGEST >> 20} MiB: it is no state file")
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        raise UnusableStateError("is no JSON") from None
    version = content.get("schema_version") if isinstance(content, dict) else None
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise UnusableStateError(f"was written by a newer envcheck (schema {version}, this one reads {SCHEMA_VERSION})")
    try:
        return _state(content)
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise UnusableStateError(f"is no state of envcheck ({type(error).__name__}: {str(error)[:80]})") from None


def _read(file: str) -> bytes:
    path = Path(file)
    if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait for ever
        raise OSError(0, "this is no ordinary file")
    with path.open("rb") as stream:
        return stream.read(LARGEST + 1)


def _state(content: Any) -> State:
    """The state in the JSON; keys of a later envcheck are passed over."""
    if content["smoke"] not in (OK, FAILED, NOT_RUN):
        raise ValueError("smoke")
    gpus = content.get("gpus")
    state = State(
        when=_text(content["when"]),
        exit_code=int(content["exit_code"]),
        smoke=content["smoke"],
        reason=_text(content.get("reason", "")),
        wanted=_text(content.get("wanted", "auto")),
        device=_text(content.get("device", "")),
        gpus=None if gpus is None else tuple(_text(each) for each in _list(gpus)),
        packages=tuple(
            Package(_text(each["name"]), _text(each["version"]), _text(each["metadata"]))
            for each in _list(content.get("packages", []))
        ),
        python=_text(content.get("python", "")),
        tool_version=_text(content.get("tool_version", "")),
        schema_version=int(content["schema_version"]),
    )
    state.at  # noqa: B018 - a time that cannot be read is refused here
    return state


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"text is expected, not {type(value).__name__}")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"a list is expected, not {type(value).__name__}")
    return value


def _real(file: str) -> Path:
    """Where a link leads: the link itself stays."""
    try:
        return Path(os.path.realpath(file))
    except (OSError, ValueError) as error:
        raise UsageError(f"--state {file[:200]!r}: {error}") from None
