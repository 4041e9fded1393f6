"""What the smoke run printed: the framework's native log, and the stacks of Python's faulthandler."""

from __future__ import annotations

import re

from envcheck.probes.smoke.facts import LogLine

MOST_LINES = 80
"""Different lines of the log that the facts keep: a run on eight GPUs has about fifty."""
LONGEST = 600
"""Characters of a line that are kept."""

# What Python's faulthandler prints: https://docs.python.org/3/library/faulthandler.html
_STACK = re.compile(r"^(Current thread|Thread) 0x.*\(most recent call first\):\n((?:  File .*\n?)+)", re.MULTILINE)
_FRAME = re.compile(r'  File "(?P<file>[^"]*)", line (?P<line>\d+) in (?P<name>.*)')


# As TensorFlow's and abseil's logging write: "2026-11-21 11:52:46.123456: I external/xla/x.cc:1] text", "I0000 00:00:… x.cc:1]
# text", and absl's for Python. ANSI colours do not occur.
_LINE = re.compile(
    r"^(?:\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+: (?P<old>[IWEF]) |(?P<new>[IWEF])\d{4} [\d:.]+ +\d+ )"
    r"(?P<origin>[^\]\s]+):\d+\] (?P<text>.*)$"
)
# "… Created device /job:localhost/replica:0/task:0/device:GPU:0 with 21 MB memory: -> device: 0, name: NVIDIA L4, pci bus
# id: 0000:00:03.0, compute capability: 8.9" (tensorflow/core/common_runtime/gpu/gpu_device.cc)
_CREATED = re.compile(r"Created (?:TensorFlow )?device [^ ]*(GPU:\d+) .*pci bus id: ([0-9A-Fa-f:.]+)")


def log_lines(output: str) -> tuple[LogLine, ...]:
    """The lines of native logging, each text once, in the order of their first appearance.

    A line that native code broke off with a line end of its own is followed by its rest.
    """
    found: dict[tuple[str, str, str], int] = {}
    for line in output.splitlines():
        match = _LINE.match(line)
        if match:
            key = (match["old"] or match["new"], match["origin"].rpartition("/")[2], match["text"].strip()[:LONGEST])
            found[key] = found.get(key, 0) + 1
    return tuple(LogLine(*key, count) for key, count in list(found.items())[:MOST_LINES])


def placed(output: str) -> dict[str, str]:
    """The PCI address of each GPU, by TensorFlow's name for it."""
    return {name: address.lower() for name, address in _CREATED.findall(output)}


def stopped_at(output: str) -> str:
    """The innermost Python line in the last stack that Python's faulthandler printed, as "file:line in function"."""
    stacks = _STACK.findall(output)
    # After a fatal signal the thread that caught it is called current; at a deadline the main thread is the last one.
    marked = [stack for whose, stack in stacks if whose == "Current thread"]
    stack = (marked or [stack for _, stack in stacks] or [""])[-1]
    for frame in _FRAME.finditer(stack):
        if not frame["file"].startswith("<frozen"):
            return f"{frame['file']}:{frame['line']} in {frame['name']}"
    return ""
