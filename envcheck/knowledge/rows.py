"""Reads the YAML files of ``compat_matrix/``: plain rows, each knowing the line it stands on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from envcheck.errors import EnvcheckError

Row = dict[str, Any]

LINE = "__line__"
"""The key under which a row keeps its line number, counted from 1."""


def folder() -> Path:
    """``compat_matrix/``: inside the package in a wheel, beside it in a checkout."""
    inside = Path(__file__).parent.parent / "compat_matrix"
    return inside if inside.is_dir() else inside.parent.parent / "compat_matrix"


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # the C loader where it is built
    """A safe loader that keeps the line of every mapping."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Row:
        row: Row = super().construct_mapping(node, deep=deep)
        row[LINE] = node.start_mark.line + 1
        return row


# The safe constructor for mappings builds them with construct_mapping in two steps; one step keeps the line.
_Loader.add_constructor("tag:yaml.org,2002:map", lambda loader, node: loader.construct_mapping(node, deep=True))


def load(path: Path) -> Any:
    """The content of one YAML file.

    Raises:
        EnvcheckError: it is not there or no YAML: the installation is damaged.
    """
    try:
        with path.open("rb") as file:
            return yaml.load(file, _Loader)  # noqa: S506 - a subclass of the safe loader
    except (OSError, yaml.YAMLError) as error:
        raise EnvcheckError(f"envcheck's own data is damaged: {path}: {' '.join(str(error).split())}") from None
