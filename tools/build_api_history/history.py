"""All books from all records."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from packaging.version import Version

from tools.build_api_history import books, records
from tools.build_api_history.books import Book, Slice
from tools.build_api_history.recipes import FIRST_WITH_KERAS_3, Recipe, Root

# Which part of a record a book is about: (inside, outside).
PARTS = {"tensorflow": ("", "keras"), "tensorflow.keras": ("keras", ""), "keras": ("", ""), "tf_keras": ("", "")}


def read_all(recipes: Iterable[Recipe]) -> tuple[list[Book], list[str]]:
    """Every book from the records in the cache.

    Returns: the books, and what a maintainer should know: patches that changed the API, and those left out for being the same.
    """
    wanted: dict[str, list[tuple[Version, Recipe, Root]]] = {}
    for recipe in recipes:
        version = Version(recipe.release[1])
        for root in recipe.roots:
            if root.book == "tensorflow" and version < FIRST_WITH_KERAS_3:
                wanted.setdefault("tensorflow.keras", []).append((version, recipe, root))
            if root.book == "keras" and recipe.release[0] == "tensorflow":
                wanted.setdefault("keras", []).append(
                    (Version(records.read(recipe, root)["versions"]["keras"]), recipe, root)
                )
            else:
                wanted.setdefault(root.book, []).append((version, recipe, root))
    said: list[str] = []
    return [
        _book(title, sorted(columns, key=lambda column: column[0]), said) for title, columns in wanted.items()
    ], said


def _book(title: str, columns: list[tuple[Version, Recipe, Root]], said: list[str]) -> Book:
    columns = _telling(title, columns, said)
    counts = Counter((version.major, version.minor) for version, _, _ in columns)
    book = Book(title)
    for version, _, _ in columns:
        book.labels.append(
            str(version) if counts[version.major, version.minor] > 1 else f"{version.major}.{version.minor}"
        )
        book.versions.append(str(version))
    settled: set[str] = set()
    for place in reversed(range(len(columns))):
        _, recipe, root = columns[place]
        record = records.read(recipe, root)
        if title == "tensorflow.keras":
            record["modules"] = {}
        record["names"] = through_keras(record["names"])
        books.fill(book, place, Slice(record, *PARTS[title]), settled)
    return book


def _telling(
    title: str, columns: list[tuple[Version, Recipe, Root]], said: list[str]
) -> list[tuple[Version, Recipe, Root]]:
    """The columns without those whose API is that of the same minor's next one."""
    kept = []
    for column, following in zip(columns, [*columns[1:], None], strict=True):
        if following is not None and (column[0].major, column[0].minor) == (following[0].major, following[0].minor):
            alike = fingerprint(column, title) == fingerprint(following, title)
            verdict = "one column, the API is the same" if alike else "two columns, the API changed"
            said.append(f"{title} {column[0]} and {following[0]}: {verdict}")
            if alike:
                continue
        kept.append(column)
    return kept


def through_keras(names: dict[str, Any]) -> dict[str, Any]:
    """The names of a root, with tf.optimizers and its like, which are Keras 3's modules from 2.16 on, as aliases."""
    inside = "keras._tf_keras.keras."
    aliases = {
        name: value["module"][len(inside) :]
        for name, value in names.items()
        if isinstance(value, dict) and value.get("module", "").startswith(inside) and not name.startswith("keras.")
    }
    kept = {name: value for name, value in names.items() if name.rpartition(".")[0] not in aliases}
    return {**kept, **{name: {"same": f"keras.{inner}"} for name, inner in aliases.items()}}


def fingerprint(column: tuple[Version, Recipe, Root], title: str) -> str:
    """Changes when a public name, member, signature, mark or accepted keyword does; not when code moves between files."""
    record = records.read(column[1], column[2])
    record["names"] = through_keras(record["names"])
    # Up to the seam the two books of TensorFlow have the same columns: a patch that changed one counts for both.
    both = column[2].book == "tensorflow" and column[0] < FIRST_WITH_KERAS_3
    part = Slice(record, *(("", "") if both else PARTS[title]))
    canonical = part.canonical(set())
    plain: dict[str, Any] = {}
    for name, value in part.names():
        if name == "__version__" or name.startswith(("test.", "compat.v1.test.")):
            continue  # absl's and unittest's test cases come and go with those
        plain[name] = part.foreign(canonical[value]) if isinstance(value, int) else value
        if isinstance(value, int) and plain[name] == name:
            thing = {key: fact for key, fact in part.objects[value].items() if key != "origin"}
            if "SerializeToString" in thing.get("members", {}):
                thing["members"] = sorted(thing["members"])  # how a message's methods are called is protobuf's own
            bases = [base if isinstance(base, str) else canonical[base] for base in thing.get("bases", ())]
            plain[name] = [name, {**thing, "bases": bases}]
    late = [[name for name in record[flag] if part.local(name)] for flag in ("imported", "importable")]
    digest = json.dumps([plain, late], sort_keys=True)
    return hashlib.sha256(digest.encode()).hexdigest()
