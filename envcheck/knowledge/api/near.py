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
    found = _siblings(book, path) or _mended(api, root, parts[1]) or _elsewhere(book, path)
    return [name if name.split(".")[0] in ("tensorflow", "keras", "tf_keras") else f"{title}.{name}" for name in found]


def _mended(api: Api, root: str, path: str) -> list[str]:
    """The name with its first unknown word put right, where that leads to a name that is there."""
    words = path.split(".")
    for place, word in enumerate(words[:-1]):
        before = [root, *words[:place]]
        if (known := api.history(".".join([*before, word]))) and known.present:
            continue
        title = "tensorflow.keras" if before[:2] == ["tensorflow", "keras"] else root
        inner = ".".join(before[1:])
        below = api.shelf.book(title).below(
            inner.removeprefix("keras").lstrip(".") if title == "tensorflow.keras" else inner
        )
        others = [name.rpartition(".")[2] for name in below] + (["keras"] if before == ["tensorflow"] else [])
        for other in get_close_matches(word, others, MOST, 0.75):
            whole = ".".join([*before, other, *words[place + 1 :]])
            if (history := api.history(whole)) and history.present:
                return [whole]
        return []
    return []


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
    return [name for name in same if "contrib" not in name][:MOST]
