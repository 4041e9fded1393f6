"""Where reports and progress go: the report to stdout or a file, progress to stderr and only to a terminal."""

from __future__ import annotations

import contextlib
import importlib
import os
import pkgutil
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from envcheck import reporters
from envcheck.errors import UsageError
from envcheck.reporters import Style

if TYPE_CHECKING:
    from envcheck.findings import Report


_SEPARATORS = tuple(filter(None, (os.sep, os.altsep)))
PIECE = 1 << 20
"""Characters that are written at once."""


def formats() -> list[str]:
    """The names of all formats: the modules in ``envcheck/reporters``."""
    return sorted(module.name for module in pkgutil.iter_modules(reporters.__path__))


def check_format(name: str) -> None:
    """Complain early, before minutes of work.

    Raises:
        UsageError: no reporter has that name.
    """
    if name not in formats():
        raise UsageError(f"there is no format {name!r}; there are {', '.join(formats())}")


def check_output(output: str | None) -> None:
    """Complain early about a file that cannot be written.

    Raises:
        UsageError: its folder is not there or not writable, or it is a folder itself.
    """
    if output is None:
        return
    path = Path(output)
    if path.is_dir() or output.endswith(
        _SEPARATORS
    ):  # Path("reports/") is Path("reports"): that file is not what was meant
        raise UsageError(f"cannot write {output}: Is a directory; name a file in it")
    target = path if path.exists() else path.parent
    if not target.exists():
        raise UsageError(f"cannot write {output}: No such file or directory")
    if not os.access(target, os.W_OK):
        raise UsageError(f"cannot write {output}: Permission denied")


def reporter(name: str) -> Callable[[Report, Style], str]:
    """The function that renders the format called ``name``."""
    render: Callable[[Report, Style], str] = importlib.import_module(f"envcheck.reporters.{name}").render
    return render


def style_for(output: str | None, *, verbose: bool, quiet: bool) -> Style:
    """How the destination wants to be written to; NO_COLOR and the terminal's encoding are respected."""
    verbosity = int(verbose) - int(quiet)
    if output is not None:
        return Style(verbosity=verbosity)
    terminal = sys.stdout is not None and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    forced = bool(os.environ.get("FORCE_COLOR"))  # https://force-color.org
    return Style(
        width=max(40, min(shutil.get_terminal_size((100, 24)).columns, 120)) if terminal else 100,
        colour=(terminal or forced) and not os.environ.get("NO_COLOR"),  # https://no-color.org
        unicode=_can_encode("✓✗…·→"),
        verbosity=verbosity,
    )


def _can_encode(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError, AttributeError):  # AttributeError: there is no stdout
        return False
    return True


def write(text: str, output: str | None) -> None:
    """Write a report. A reader that went away (``| head``) is no error: the verdict stands.

    Raises:
        UsageError: the file cannot be written.
    """
    if output is not None:
        try:
            with Path(output).open("w", encoding="utf-8") as stream:
                stream.writelines(_pieces(text))
        except OSError as error:
            raise UsageError(f"cannot write {output}: {error.strerror}") from None
        return
    if sys.stdout is None:
        raise UsageError("stdout is closed: there is nowhere to write the report to; use --output")
    try:
        for piece in _pieces(text):
            sys.stdout.buffer.write(piece.encode(sys.stdout.encoding or "utf-8", "replace"))
        sys.stdout.buffer.flush()
    except OSError as error:
        # Python flushes stdout once more at exit, which would fail again: https://docs.python.org/3/library/signal.html#note-on-sigpipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise UsageError(f"cannot write the report to stdout: {error.strerror}") from None


def _pieces(text: str) -> Iterator[str]:
    """A report of a scan may have 40 MB: it is not encoded as a whole."""
    for start in range(0, len(text), PIECE):
        yield text[start : start + PIECE]


@contextlib.contextmanager
def progress(quiet: bool) -> Iterator[Callable[[str], None]]:
    """A function that shows what is being done now: on stderr, and only on a terminal."""
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        yield lambda _words: None
        return
    from rich.console import Console  # noqa: PLC0415 - only where it is drawn
    from rich.markup import escape  # noqa: PLC0415

    with Console(stderr=True).status("looking") as status:
        yield lambda words: status.update(escape(words))
