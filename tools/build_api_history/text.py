"""A book as the text that is kept in compat_matrix/api/; its README describes the marks."""

from tools.build_api_history.books import Book, Entry, Facts

ORDER = ":@<(*^>!?+~xu"


def releases(columns: list[int], labels: list[str]) -> str:
    """Columns as intervals: `1.13-2.3,2.6-`; one that reaches the newest release is left open."""
    found, columns = [], sorted(set(columns))
    start = last = columns[0]
    for column in [*columns[1:], -1]:
        if column == last + 1:
            last = column
            continue
        end = "" if last == len(labels) - 1 else labels[last]
        found.append(labels[start] if end == labels[start] else f"{labels[start]}-{end}")
        start = last = column
    return ",".join(found)


def render(book: Book) -> str:
    """The names of a book."""
    lines = header(book)
    for name in sorted(book.entries):
        lines += block(name, book.entries[name], book.labels)
    return "\n".join(lines) + "\n"


def header(book: Book) -> list[str]:
    """What is recorded: the releases by label and exact version."""
    return [
        "# releases "
        + " ".join(f"{label}={version}" for label, version in zip(book.labels, book.versions, strict=True))
    ]


def block(name: str, entry: Entry, labels: list[str]) -> list[str]:
    """One name: its head line, its facts, its members; members that are no more than there share a line."""
    kinds, rest = split(entry.facts, labels)
    lines = [f"{name} {kinds}", *(" " + line for line in rest)]
    plain: dict[str, list[str]] = {}
    methods = []
    for member in sorted(entry.members):
        facts = entry.members[member]
        if len(facts) == 1:
            plain.setdefault(split(facts, labels)[0], []).append(member)
            continue
        if all(mark != ":" or text == "method" for mark, text in facts):  # a call says that it is a method
            facts = {fact: columns for fact, columns in facts.items() if fact[0] != ":"}
        kinds, rest = split(facts, labels)
        methods += [f" .{member} {kinds}".rstrip(), *("  " + line for line in rest)]
    return [*lines, *(f" , {kinds} {' '.join(words)}" for kinds, words in plain.items()), *methods]


def split(facts: Facts, labels: list[str]) -> tuple[str, list[str]]:
    """(kinds with their releases, the other facts as lines); words that share releases share a line."""
    kinds, rest = [], []
    words: dict[tuple[str, str], list[str]] = {}
    for (mark, text), columns in sorted(facts.items(), key=lambda fact: (ORDER.index(fact[0][0]), fact[1], fact[0][1])):
        when = releases(columns, labels)
        if mark == ":":
            kinds.append(f"{text} {when}")
        elif mark in "+~xu":
            words.setdefault((mark, when), []).append(text)
        else:
            rest.append(f"{mark} {when} {text}".rstrip())
    rest += [f"{mark} {when} {' '.join(found)}" for (mark, when), found in words.items()]
    return " ".join(kinds), rest


def render_modules(book: Book) -> str:
    """The modules of a book, and the names at the top level of each."""
    lines = header(book)
    for module in sorted(book.modules):
        facts = book.modules[module].facts
        lines.append(f"{module} {releases(facts.pop((':', '')), book.labels)}")
        groups: dict[str, list[str]] = {}
        for (mark, text), columns in sorted(facts.items(), key=lambda fact: fact[0]):
            when = releases(columns, book.labels)
            if mark:
                lines.append(f" {mark} {when}")
            else:
                groups.setdefault(when, []).append(text)
        lines += [f" {when} {' '.join(words)}" for when, words in sorted(groups.items())]
    return "\n".join(lines) + "\n"
