"""Names like one that no release has: did you mean?"""

from __future__ import annotations

from difflib import get_close_matches

from envcheck.knowledge.api.answers import Api
from envcheck.knowledge.api.book import Book

MOST = 3


def near(api: Api, name: str) -> list[str]:
    """Up to three recorded names that differ little: in the last word first, else the same last word elsewhere.

    Args:
        api: the history.
        name: a dotted name; one that opens with an unknown word has no near ones.
    """
    parts = api.split(name)
    if parts is None or not parts[1]:
        return []
    root, path = parts
    title, path = ("tensorflow.keras", path[6:]) if root == "tensorflow" and path.startswith("keras.") else (root, path)
    book = api.shelf.book(title)
    found = _siblings(book, path) or _elsewhere(book, path)
    return [f"{title}.{other}" for other in found]


def _siblings(book: Book, path: str) -> list[str]:
    parent, _, last = path.rpartition(".")
    words = {name.rpartition(".")[2]: name for name in book.below(parent)}
    entry = book.entry(parent)
    if entry is not None:
        words.update({member: f"{parent}.{member}" for member in entry.members})
    lower = {word.lower(): word for word in words}
    if last.lower() in lower:
        return [words[lower[last.lower()]]]
    return [words[word] for word in get_close_matches(last, words, MOST, 0.75)]


def _elsewhere(book: Book, path: str) -> list[str]:
    last = path.rpartition(".")[2]
    same = [name for name in book.names if name.endswith(f".{last}") or name == last]
    newest = 1 << (len(book.labels) - 1)
    same.sort(key=lambda name: (not book.mask_of(name) & newest, "compat" in name, name.count("."), len(name)))
    return same[:MOST]
