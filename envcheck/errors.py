"""The one edge where foreseen errors become one line and an exit code.

Exit codes: 0 nothing at or above ``--fail-on``; 1 findings; 2 the command line cannot be carried out; 3 envcheck itself
failed or a check is broken; 129 hung up (SIGHUP), 130 interrupted (Ctrl-C) and 143
terminated (SIGTERM), as shells have it.
"""

from __future__ import annotations

OK, FINDINGS, USAGE, FAILED, HUNG_UP, INTERRUPTED, TERMINATED = 0, 1, 2, 3, 129, 130, 143


class EnvcheckError(Exception):
    """A foreseen failure: one clear line for a person, and the exit code that goes with it."""

    exit_code = FAILED


class UsageError(EnvcheckError):
    """What was asked for cannot be done as asked: a file, an interpreter, a code or a format that is not there."""

    exit_code = USAGE


class Stopped(BaseException):
    """SIGINT, SIGTERM or SIGHUP arrived. It passes every ``except Exception`` and ends the children on its way."""

    def __init__(self, words: str, exit_code: int) -> None:
        super().__init__(words)
        self.exit_code = exit_code
