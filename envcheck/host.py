"""The machine as probes may touch it: files, environment variables, the target interpreter.

It is the one seam of envcheck. A fake host is this very class with another root, another environment and another
``run``: nothing needs to be patched.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from envcheck.inventory import Expectations
from envcheck.stopping import held
from envcheck.target.runner import GRACE, Child, Ending, Record, run_script, start_script

MAX_TEXT = 32 * 1024 * 1024
"""Bytes of a file that a probe reads at most: the largest RECORD of a TensorFlow wheel is 3 MB."""


@dataclass
class Host:
    """Files below ``root``, the variables in ``environ``, and the interpreter ``python`` that is inspected.

    ``timeout`` is the deadline in seconds of the slow questions (smoke run); quick ones have their own. ``grace`` is how many
    seconds more a child that had to be killed may take to disappear, before it is left behind.
    ``progress`` is told, in a few words, what is being done now. ``run`` starts a script of ``envcheck/target``.
    """

    python: str = sys.executable
    cwd: Path = field(default_factory=Path.cwd)
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    root: Path = Path("/")
    timeout: float = 300.0
    grace: float = GRACE
    expectations: Expectations = field(default_factory=Expectations)
    progress: Callable[[str], None] = lambda _: None
    system: str = field(default_factory=platform.system)
    machine: str = field(default_factory=platform.machine)
    release: str = field(default_factory=platform.release)
    run: Callable[..., Ending] = run_script
    _answers: dict[str, Ending] = field(default_factory=dict)
    _begun: dict[str, Child | Ending] = field(default_factory=dict)

    def path(self, absolute: str | Path) -> Path:
        """Where ``absolute`` lies under this host's root."""
        path = Path(absolute)
        return path if self.root == Path("/") else self.root / path.relative_to(path.anchor)

    def read(self, absolute: str | Path) -> str | None:
        """The text of a file, undecodable bytes replaced; None when there is none that we may read."""
        try:
            path = self.path(absolute)
            if not path.is_file():  # opening a pipe would wait for ever
                return None
            with path.open("rb") as file:
                return file.read(MAX_TEXT).decode("utf-8", "replace")
        except (OSError, ValueError):
            return None

    def exists(self, absolute: str | Path) -> bool:
        """Whether the path exists (a broken link does not)."""
        try:
            return self.path(absolute).exists()
        except (OSError, ValueError):
            return False

    def writable(self, absolute: str | Path) -> bool:
        """Whether this user may write there."""
        return os.access(self.path(absolute), os.W_OK)

    def names(self, absolute: str | Path) -> list[str]:
        """The sorted names in a folder; empty when there is none that we may read."""
        try:
            return sorted(entry.name for entry in self.path(absolute).iterdir())
        except (OSError, ValueError):
            return []

    def begin(self, script: str, arguments: Mapping[str, object], **options: Any) -> None:
        """Start a script whose answer will be asked for later, with the same words: it runs meanwhile.

        A host with a ``run`` of its own starts nothing before it is asked.
        """
        if self.run is run_script and script not in self._answers and script not in self._begun:
            positional, named = self._call(script, arguments, **options)
            with held():
                self._begun[script] = start_script(*positional, **named)

    def ask(self, script: str, arguments: Mapping[str, object] | None = None, **options: Any) -> Ending:
        """Run ``envcheck/target/<script>.py`` in the target interpreter, once per host.

        ``deadline`` is in seconds; ``python`` names another interpreter, ``environ`` other variables; ``on_record`` sees
        each line of the answer as it comes.
        """
        if script not in self._answers:
            self.begin(script, arguments or {}, **options)
            if script in self._begun:
                begun = self._begun[script]
                self._answers[script] = begun if isinstance(begun, Ending) else begun.finish()
                del self._begun[script]
            else:
                positional, named = self._call(script, arguments or {}, **options)
                self._answers[script] = self.run(*positional, **named)
        return self._answers[script]

    def _call(
        self,
        script: str,
        arguments: Mapping[str, object],
        *,
        deadline: float,
        python: str | None = None,
        environ: Mapping[str, str] | None = None,
        on_record: Callable[[Record], None] | None = None,
    ) -> tuple[tuple[str, str, Mapping[str, object]], dict[str, Any]]:
        named = {
            "deadline": deadline,
            "environ": dict(self.environ if environ is None else environ),
            "cwd": str(self.cwd),
            "on_record": on_record,
            "grace": self.grace,
        }
        return (python or self.python, script, arguments), named

    def close(self) -> None:
        """End what was begun and never asked for."""
        while self._begun:
            _, begun = self._begun.popitem()
            if not isinstance(begun, Ending):
                begun.close()
