"""The limits of the API history: ``make bench``.

1. ``compat_matrix/api/`` in the repository: at most 6 MB; compressed as in the wheel: at most 2 MB.
2. What a scan of one model file needs of it (modules and data), over the start of a bare Python (CPU time): at most 60 ms above
   what msgspec, PyYAML and packaging take to import, which every command needs.
3. ``envcheck api -`` with 10,000 names (wall time): at most 2 s, text and JSON.

Each figure is the median of several runs taken in turns.
"""

from __future__ import annotations

import argparse
import io
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from benchmarks.speed import cpu, medians
from envcheck.knowledge.api.answers import Api
from envcheck.knowledge.rows import folder

COMMON = "import msgspec, yaml, packaging.version, packaging.specifiers, envcheck.knowledge.rows"
NAMES = """
tf.keras.Model tf.keras.Input tf.keras.layers.Dense tf.keras.layers.Conv2D tf.keras.layers.Dropout
tf.keras.layers.LSTM tf.keras.optimizers.Adam tf.keras.losses.CategoricalCrossentropy
tf.keras.metrics.Accuracy tf.keras.callbacks.EarlyStopping tf.keras.utils.to_categorical tf.keras.backend.dot
tf.Session tf.placeholder tf.reduce_mean tf.cast tf.GradientTape tf.data.Dataset
tf.data.Dataset.from_tensor_slices tf.function tf.nn.relu keras.backend.dot keras.layers.Embedding
keras.engine.topology.Layer keras.layers.Bidirectional keras.Model.fit_generator
keras.preprocessing.sequence.pad_sequences keras.ops.matmul keras.models.Sequential keras.optimizers.SGD
tensorflow.python.keras.layers.Dense tensorflow.python.framework.ops.Tensor
"""
"""What one model file of mixed age names."""
ASKED = f"""
from envcheck.knowledge.api.answers import Api
from envcheck.knowledge.api.replacements import Replacements
from envcheck.knowledge.api.target import Target
api = Api(envcheck.knowledge.rows.folder() / "api")
target = Target.parse("tensorflow==2.16.2,keras==3.3.3")
replacements = Replacements(envcheck.knowledge.rows.folder() / "api" / "replacements", api)
for name in {NAMES.split()!r}:
    answer = api.ask(name, target)
    api.keyword(name, "lr", target)
    if answer.status.value == "absent":
        replacements.advice(api.history(name), target)
"""


def sizes() -> tuple[float, float]:
    """(MB as it lies in the repository, MB compressed as a wheel compresses it)."""
    files = [path for path in (folder() / "api").rglob("*") if path.is_file()]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in files:
            archive.write(path, path.relative_to(folder()))
    return sum(path.stat().st_size for path in files) / 1e6, len(packed.getvalue()) / 1e6


def ten_thousand(runs: int) -> dict[str, float]:
    """Seconds for 10,000 names on stdin, by format: names of all kinds, every fifth one unknown."""
    api = Api(folder() / "api")
    names = [
        f"{title}.{name}"
        for title in ("tensorflow", "tensorflow.keras", "keras")
        for name in api.shelf.book(title).names
    ]
    step = len(names) // 8000
    chosen = names[::step][:8000] + [f"tf.keras.layers.Nosuch{number}" for number in range(2000)]
    figures: dict[str, list[float]] = {"text": [], "json": []}
    with tempfile.TemporaryDirectory() as where:
        asked = Path(where, "names")
        asked.write_text("\n".join(chosen), "utf-8")
        for _ in range(runs):
            for format_, seconds in figures.items():
                start = time.perf_counter()
                command = [str(Path(sys.executable).with_name("envcheck")), "api", "-", "--format", format_]
                with asked.open() as stdin:
                    done = subprocess.run(command, stdin=stdin, stdout=subprocess.DEVNULL, check=False)
                assert done.returncode == 1  # some are unknown
                seconds.append(time.perf_counter() - start)
    return {format_: statistics.median(seconds) for format_, seconds in figures.items()}


def main() -> int:
    """Measure, print, and return 1 when a limit does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    plain, packed = sizes()
    bare, common, asked = medians(
        cpu,
        runs * 4,
        lambda _: [sys.executable, "-c", "pass"],
        lambda _: [sys.executable, "-c", COMMON],
        lambda _: [sys.executable, "-c", COMMON + ASKED],
    )
    seconds = ten_thousand(runs)
    limits = [
        (plain, 6.0, "MB of API history in the repository"),
        (packed, 2.0, "MB compressed in the wheel"),
        (
            (asked - common) * 1e3,
            60.0,
            f"ms CPU for what one file's scan asks; common modules {(common - bare) * 1e3:.0f} ms",
        ),
        (seconds["text"], 2.0, "s for 10,000 names on stdin, as text"),
        (seconds["json"], 2.0, "s for 10,000 names on stdin, as JSON"),
    ]
    for figure, limit, words in limits:
        print(f"{'holds' if figure <= limit else 'FAILS'}  {figure:6.2f} <= {limit}: {words}")
    return 0 if all(figure <= limit for figure, limit, _ in limits) else 1


if __name__ == "__main__":
    sys.exit(main())
