"""What reading a file gives: uses of names, with what guards each. Plain tuples, so that they travel between processes cheaply.

A *symbol* is a dotted name with its whole root, and ``()`` where something is called:
``tensorflow.keras.layers.Dense``, ``keras.models.Sequential().fit_generator``. Besides:

- ``a.b|c.d``: one of these, in the order in which they would be tried;
- ``@.common:K.dot``: the name ``K.dot`` of a module of the scanned project, written as it was imported;
- ``*keras.layers,keras.models:Dense``: from one of these star imports, the last one that has it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

Condition = tuple[Any, ...]
"""A test that was understood, as a tree:

``("version", symbol, form, operator, literal)``: the version string ``symbol``, seen as ``form``, against a literal;
``("has", symbol)``; ``("failed", symbols)``: one of them is absent, so that an ``except`` is reached; ``("try",)``: an
absent name is caught; ``("never",)``: not run (an annotation that is not evaluated, ``TYPE_CHECKING``); ``("opaque",)``: about
versions, and not understood; ``("flag", symbol)``: a name of another module of the project; ``("not", c)``, ``("and", c, …)``,
``("or", c, …)``.
"""


class Call(NamedTuple):
    """How something is called.

    ``positional``: how many arguments by position, -1 where ``*args`` hides it; ``keywords``: their names; ``more``: there is
    ``**kwargs``; ``values``: what is known of arguments, as (position or keyword, kind, value): kind ``constant`` (a
    literal, or a tuple of them), ``tail`` (the end of a string), ``symbol``.
    """

    positional: int
    keywords: tuple[str, ...]
    more: bool
    values: tuple[tuple[int | str, str, Any], ...]


class Use(NamedTuple):
    """One reference.

    ``how``: ``import`` (``import a.b``), ``from`` (``from a import b``), ``attribute``, ``call``, ``base`` (of a class), ``set``
    (assigned to), ``item`` (a constant text in brackets behind it; the only argument of ``call``). ``line`` from 1, ``column``
    and ``end`` from 0, in characters; ``end`` is -1 where it lies on another line. ``guard`` is a place in ``Reading.guards``.
    """

    symbol: str
    how: str
    line: int
    column: int
    end: int
    guard: int
    call: Call | None = None


class Export(NamedTuple):
    """What a name of a module is, for those that import it.

    ``kind``: ``value`` (``text`` is its symbol), ``class`` (``bases``: symbols, or None where one cannot be told; ``names``: its
    own members), ``function`` (``text`` is the symbol that it returns), ``condition`` (``test``).
    """

    kind: str
    text: str = ""
    bases: tuple[str | None, ...] = ()
    names: frozenset[str] = frozenset()
    test: Condition = ()


class Reading(NamedTuple):
    """All that one file or notebook cell says.

    ``guards``: for each place, the conditions that all must hold; place 0 is none. ``exports``: the names at its top level;
    ``stars``: project modules of which it imports all.
    """

    uses: tuple[Use, ...]
    guards: tuple[tuple[Condition, ...], ...]
    exports: dict[str, Export]
    stars: tuple[str, ...]
    too_deep: tuple[int, ...]
    """Lines of statements that are nested too deeply to be read."""
