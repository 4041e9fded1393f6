"""The speed claims, as ratios measured in one run on one machine: ``make bench``, or with ``--python`` another target.

1. ``envcheck --help`` against ``python -c pass`` (CPU time): at most 6.
2. ``import tensorflow`` against ``envcheck doctor --no-smoke`` in the same environment (wall time): at least 5.
3. ``envcheck doctor`` against a bare script with the same smoke steps (wall time): at most 1.15.
4. Loading what one doctor needs of the matrix, over the start of a process with the same modules (CPU time): at most 30 ms.
   What these modules themselves cost (PyYAML, msgspec, envcheck.knowledge) is printed beside it.
5. ``envcheck healthcheck``, NVML asked (wall time): at most 250 ms, with compiled bytecode as pip makes it. Docker and
   Kubernetes run it every minute or so.

Each figure is the median of several runs taken in turns, so that a slow minute hits both sides.
"""

from __future__ import annotations

import argparse
import compileall
import importlib.util
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

SMOKE = Path(__file__).parent.parent / "envcheck" / "target" / "smoke.py"


def cpu(command: Sequence[str]) -> float:
    """CPU seconds (user and system) of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def wall(command: Sequence[str]) -> float:
    """Seconds from start to end of a command."""
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def medians(measure: Callable[[Sequence[str]], float], runs: int, *commands: Callable[[str], list[str]]) -> list[float]:
    """The median figure of each command, measured in turns; one round before that fills the caches.

    A command is made anew for each run, with a temporary folder of its own.
    """
    figures: list[list[float]] = [[] for _ in commands]
    for turn in range(runs + 1):
        for place, command in enumerate(commands):
            with tempfile.TemporaryDirectory() as folder:
                figure = measure(command(folder))
            if turn:
                figures[place].append(figure)
    return [statistics.median(each) for each in figures]


def bare_smoke(python: str, folder: str) -> list[str]:
    """The very smoke script, started without envcheck."""
    request = Path(folder, "request.json")
    request.write_text(json.dumps({"device": "auto", "deadline": 600, "folder": folder, "cwd": folder}), "utf-8")
    return [python, "-B", str(SMOKE), str(Path(folder, "answer")), str(request)]


def compile_bytecode(*modules: str) -> None:
    """As pip does when it installs them; a source tree and ``uv pip install`` have none."""
    for module in modules:
        found = importlib.util.find_spec(module)
        assert found is not None
        assert found.origin is not None
        path = Path(found.origin)
        if path.name == "__init__.py":
            compileall.compile_dir(path.parent, quiet=1)
        else:
            compileall.compile_file(path, quiet=1)


STARTED = (
    "from envcheck.registry import checks, probes; import envcheck.engine, envcheck.commands.output; checks(), probes()"
)
MODULES = "; from packaging.version import Version; from envcheck.commands.settings import chosen_matrix"
ASKED = """
matrix = chosen_matrix(None)
matrix.series(Version("2.21.0")), matrix.hits({}, "3.12"), matrix.loads, matrix.optional, matrix.as_of
matrix.driver_floor("12.5"), matrix.toolkit_driver("12.5"), matrix.gpu_knots
for name in ("tensorflow", "tensorflow-cpu", "keras", "numpy", "protobuf", "h5py", "ml-dtypes"):
    matrix.releases.find(name, Version("2.21.0"))
"""
"""The tables and releases that a doctor asks for on a sound machine with a GPU."""


def main() -> int:
    """Measure, print, and return 1 when a claim does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable, help="an interpreter with TensorFlow")
    parser.add_argument("--runs", type=int, default=5)
    chosen = parser.parse_args()
    envcheck = [str(Path(sys.executable).with_name("envcheck"))]
    target = ["--python", chosen.python]

    bare, helped = medians(
        cpu, chosen.runs * 4, lambda _: [sys.executable, "-c", "pass"], lambda _: [*envcheck, "--help"]
    )
    importing, light = medians(
        wall,
        chosen.runs,
        lambda _: [chosen.python, "-B", "-c", "import tensorflow"],
        lambda _: [*envcheck, "doctor", "--no-smoke", *target],
    )
    script, whole = medians(
        wall, chosen.runs, lambda folder: bare_smoke(chosen.python, folder), lambda _: [*envcheck, "doctor", *target]
    )
    started, loaded, asked = medians(
        cpu,
        chosen.runs * 4,
        lambda _: [sys.executable, "-c", STARTED],
        lambda _: [sys.executable, "-c", STARTED + MODULES],
        lambda _: [sys.executable, "-c", STARTED + MODULES + ASKED],
    )
    compile_bytecode("envcheck", "click", "pynvml")
    (health,) = medians(wall, chosen.runs * 2, lambda _: [*envcheck, "healthcheck"])
    claims = [
        (helped / bare, "<=", 6.0, f"envcheck --help {helped * 1e3:.0f} ms / python -c pass {bare * 1e3:.0f} ms CPU"),
        (importing / light, ">=", 5.0, f"import tensorflow {importing:.2f} s / doctor --no-smoke {light:.2f} s"),
        (whole / script, "<=", 1.15, f"doctor {whole:.2f} s / bare smoke steps {script:.2f} s"),
        (
            (asked - loaded) * 1e3,
            "<=",
            30.0,
            f"ms CPU to load the matrix: {asked * 1e3:.0f} - {loaded * 1e3:.0f} ms; modules {(loaded - started) * 1e3:.0f} ms",
        ),
        (health * 1e3, "<=", 250.0, "ms for envcheck healthcheck"),
    ]
    for ratio, sign, limit, words in claims:
        held = ratio <= limit if sign == "<=" else ratio >= limit
        print(f"{'holds' if held else 'FAILS'}  {ratio:5.2f} {sign} {limit}: {words}")
    return 0 if all(r <= limit if sign == "<=" else r >= limit for r, sign, limit, _ in claims) else 1


if __name__ == "__main__":
    sys.exit(main())
