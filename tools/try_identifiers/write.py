"""The answers of all releases as the text that is kept in compat_matrix/api/identifiers/ and compat_matrix/api/objects/."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from envcheck.knowledge.api.answers import Api, Status
from envcheck.knowledge.api.book import Book
from envcheck.knowledge.api.history import SEAM
from envcheck.knowledge.api.target import KERAS_3, Target
from tools.build_api_history.text import releases
from tools.try_identifiers import candidates

Word = tuple[str, str]
"""A kind of identifier and a string, or a class and an attribute."""
COMPILED = "compiled"
"""The kind of what `compile` takes in metrics= besides what `metrics.get` takes."""


def write(api: Api, columns: Mapping[str, Mapping[str, str]], answers: Path, folder: Path) -> None:
    """Write both folders.

    Args:
        api: the recorded history.
        columns: for each environment, its label in each book: {name: {book: label}}.
        answers: the folder of the environments' answers.
        folder: compat_matrix/api.
    """
    for title in candidates.BOOKS:
        book = api.shelf.book(title)
        strings: dict[Word, list[int]] = {}
        objects: dict[Word, list[int]] = {}
        asked = set()
        for place, label in enumerate(book.labels):
            answer = _answer(columns, answers, title, label)
            if answer is None:
                continue
            asked.add(place)
            for name in _strings(answer):
                strings.setdefault(name, []).append(place)
            for name in _objects(api, title, place, answer):
                objects.setdefault(name, []).append(place)
        missing = [label for place, label in enumerate(book.labels) if place not in asked]
        if missing:
            raise LookupError(f"{title}: {', '.join(missing)} were not asked")
        _save(folder / "identifiers" / f"{title}.txt", book, strings)
        _save(folder / "objects" / f"{title}.txt", book, objects)


def _answer(columns: Mapping[str, Mapping[str, str]], answers: Path, title: str, label: str) -> dict[str, Any] | None:
    """What a release said of one root; None where it was not asked."""
    for name, labels in columns.items():
        path = answers / f"{name}.json"
        if labels.get(title) == label and path.exists():
            found: dict[str, Any] = json.loads(path.read_text())[title]
            return found
    return None


def _strings(answer: dict[str, Any]) -> Iterator[Word]:
    for kind, texts in answer["strings"].items():
        # Keras reads the names of optimizers in lower case: other cases of one that is there say nothing new.
        lower = set(texts) if kind == "optimizer" else set()
        yield from ((kind, text) for text in texts if text == text.lower() or text.lower() not in lower)
    yield from ((COMPILED, text) for text in answer["compiled"])


def _objects(api: Api, title: str, place: int, answer: dict[str, Any]) -> set[Word]:
    """The attributes that objects have and the history does not; those of all kinds of optimizer also as Optimizer's."""
    target = _target(api, title, place)
    found: set[Word] = set()
    for name, members in answer["objects"].items():
        for owner in (name, *_base(api.shelf.book(title), name)):
            asked = [
                member for member in members if api.ask(f"{title}.{owner}.{member}", target).status is Status.ABSENT
            ]
            found.update((owner, member) for member in asked)
    return found


def _base(book: Book, name: str) -> Iterator[str]:
    """The class that stands for an optimizer whose own class the code does not tell: what one of them has, it may have."""
    module = name.rpartition(".")[0]
    base = {"optimizers": "optimizers.Optimizer", "optimizers.legacy": "optimizers.legacy.Optimizer"}.get(module)
    if base is not None and base != name and book.entry(base) is not None:
        yield base


def _target(api: Api, title: str, place: int) -> Target:
    """The release in one column of a book."""
    release = api.shelf.book(title).versions[place]
    if title == "tf_keras":
        return Target(tf_keras=release)
    if title == "keras":
        return Target(keras=release)
    if release < SEAM and release < KERAS_3:
        return Target(tensorflow=release)
    return Target(tensorflow=api.shelf.book("tensorflow").versions[-1], keras=release)


def _save(path: Path, book: Book, columns: dict[Word, list[int]]) -> None:
    """Words by their heads, those that share releases on one line."""
    labels = list(book.labels)
    pairs = (f"{label}={version}" for label, version in zip(labels, book.versions, strict=True))
    grouped: dict[str, dict[tuple[int, ...], list[str]]] = {}
    for (head, word), places in columns.items():
        grouped.setdefault(head, {}).setdefault(tuple(places), []).append(word)
    lines = ["# releases " + " ".join(pairs)]
    for head in sorted(grouped):
        everything = sorted({place for places in grouped[head] for place in places})
        lines.append(f"{head} {releases(everything, labels)}")
        lines += [
            f" {releases(list(places), labels)} {' '.join(sorted(words))}"
            for places, words in sorted(grouped[head].items())
        ]
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
