"""Answers a file of questions: `python -m inside QUESTIONS.json ANSWERS.jsonl`.

A process imports one root and is forked for each group of questions, so that no question sees what another one loaded.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from . import calls, cheap, members, names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    Row = dict[str, Any]
    Answers = Callable[[Row], Iterator[Row]]

GROUP_SECONDS = 180
TOGETHER = 40  # callables asked in one fork: nothing that they load changes what another one says


def main() -> None:
    """Ask each kind of question in a process of its own."""
    with Path(sys.argv[1]).open() as stream:
        questions = json.load(stream)
    sys.argv[1:], answers = [], sys.argv[2]  # tf.compat.v1.flags parses it when it is touched
    Path(answers).write_text("")
    by_root: dict[str, list[Row]] = {}
    for group in questions["names"]:
        first = "keras" if any(is_keras(load) for load in group["loads"]) else "tensorflow"
        by_root.setdefault(first, []).append(group)
    for root in sorted(by_root):
        forked(functools.partial(each, root, by_root[root], answer_names, answers))
    for kind, run in (("calls", answer_call), ("members", answer_member)):
        if questions[kind]:
            forked(functools.partial(each, "both", questions[kind], run, answers, TOGETHER))


def is_keras(statement: str) -> bool:
    """Whether an import statement is one of standalone Keras."""
    return statement.split()[1].partition(".")[0] == "keras"


def forked(run: Callable[[], object], seconds: int | None = None) -> int:
    """Run in a fork; its exit status."""
    process = os.fork()
    if process == 0:
        code = 1
        try:
            if seconds:
                signal.alarm(seconds)
            run()
            code = 0
        except BaseException:  # a fork must never run on in its parent's code
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    return os.waitpid(process, 0)[1]


def each(root: str, items: list[Row], run: Answers, answers: str, together: int = 1) -> None:
    """Import ``root`` and answer the items, so many in one fork; those of a fork that dies are asked one by one, and noted."""
    prepare(root)
    for start in range(0, len(items), together):
        batch = items[start : start + together]
        if not asked(batch, run, answers):
            continue
        for item in batch if together > 1 else ():
            status = asked([item], run, answers)
            if status:
                write(answers, [{"kind": "died", "item": item, "status": status}])
        if together == 1:
            write(answers, [{"kind": "died", "item": batch[0], "status": 1}])


def asked(batch: list[Row], run: Answers, answers: str) -> int:
    """Answer some items in a fork; its exit status."""
    return forked(lambda: write(answers, [row for item in batch for row in run(item)]), GROUP_SECONDS)


def prepare(root: str) -> None:
    """Import a root bare; of TensorFlow also what it loads when it is first touched, because that takes seconds."""
    for name in ("keras", "tensorflow", "tf_keras") if root == "both" else (root,):
        try:
            module = __import__(name)
        except ImportError as error:
            print(f"no {name}: {error}")
            continue
        for lazy in ("keras", "contrib", "estimator") if name == "tensorflow" else ():
            print(name, getattr(module, "__version__", ""), lazy, hasattr(module, lazy))
            dir(getattr(module, lazy, None))


def write(path: str, rows: Iterable[Row]) -> None:
    """Append rows as lines of JSON."""
    text = "".join(json.dumps(row) + "\n" for row in rows)
    with Path(path).open("a") as stream:
        stream.write(text)


def answer_names(group: Row) -> Iterator[Row]:
    """The names of one group: files that load the same."""
    names.load(group["loads"])
    for statement, attributes in group["questions"]:
        status, found, detail = names.answer(statement, attributes)
        yield {
            "kind": "name",
            "group": group["id"],
            "statement": statement,
            "attributes": attributes,
            "status": status,
            "found": found,
            "detail": detail[:300],
        }


def answer_call(item: Row) -> Iterator[Row]:
    """The keywords and the positional counts of one callable."""
    value = names.value_of(item["statement"], item["attributes"])
    if value is None:
        value = members.imported(item["name"], cheap.instances)[0]
    for name, seen in sorted(item["keywords"].items()):
        status, how = calls.keyword(value, name, seen["values"], seen["calls"])
        yield {"kind": "keyword", "name": item["name"], "keyword": name, "status": status, "detail": how}
    for count in item["positional"]:
        yield {"kind": "positional", "name": item["name"], "count": count, "status": calls.positional(value, count)}


def answer_member(item: Row) -> Iterator[Row]:
    """One dotted name that may go through a call: `tensorflow.keras.Sequential().fit_generator`."""
    yield members.answer(item["name"], item.get("keyword"), cheap.instances)


if __name__ == "__main__":
    main()
