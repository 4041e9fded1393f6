"""`python -m tools.try_identifiers`: asks what was not asked yet, then rewrites the files in compat_matrix/api/."""

import argparse
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from packaging.version import Version

from envcheck.knowledge.api.answers import Api
from tools.build_api_history import environments
from tools.build_api_history.recipes import FIRST_WITH_KERAS_3, Recipe, recipes
from tools.try_identifiers import candidates, write

FOLDER = Path(__file__).resolve().parents[2] / "compat_matrix" / "api"


def main() -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.try_identifiers", description=__doc__)
    parser.add_argument("--only", action="append", help="one release, keras-3.5.0; may be given again")
    options = parser.parse_args()
    api = Api(FOLDER)
    cache().mkdir(parents=True, exist_ok=True)
    failed = 0
    for recipe, columns in wanted(api):
        path = cache() / f"{recipe.name}.json"
        if path.exists() or (options.only and recipe.name not in options.only):
            continue
        try:
            ask(api, recipe, columns, path)
        except environments.EnvironmentFailedError as error:
            failed += 1
            print(f"{recipe.name}  FAILED  {error}", file=sys.stderr, flush=True)
    write.write(api, {recipe.name: columns for recipe, columns in wanted(api)}, cache(), FOLDER)
    return 1 if failed else 0


def cache() -> Path:
    """Where the answers lie."""
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "envcheck" / "identifiers"


def wanted(api: Api) -> list[tuple[Recipe, dict[str, str]]]:
    """The environments that answer for some column of a book: {book: label}."""
    found = []
    for recipe in recipes():
        columns = {}
        for title in candidates.BOOKS:
            book = api.shelf.book(title)
            release = column(recipe, title)
            if release is not None and release in book.versions:
                columns[title] = book.labels[book.versions.index(release)]
        if columns:
            found.append((recipe, columns))
    return found


def column(recipe: Recipe, title: str) -> Version | None:
    """The release of a book that an environment has; None where it has none."""
    distribution, version = recipe.release[0], Version(recipe.release[1])
    if distribution == "tensorflow":
        own = any(root.book == "keras" for root in recipe.roots)
        minor = Version(f"{version.major}.{version.minor}.{1 if (version.major, version.minor) == (2, 13) else 0}")
        keras = minor if own else None
        return {"tensorflow.keras": version if version < FIRST_WITH_KERAS_3 else None, "keras": keras}.get(title)
    books = {root.book for root in recipe.roots}
    return version if title in books else None


def ask(api: Api, recipe: Recipe, columns: dict[str, str], path: Path) -> None:
    """Make an environment, ask it, keep the answers."""
    asked: dict[str, Any] = {
        "strings": candidates.strings(api),
        "modules": candidates.MODULES,
        "compiled": candidates.COMPILED,
        "roots": {title: candidates.members(api, title, label) for title, label in columns.items()},
    }
    question, answer = path.with_suffix(".asked"), path.with_suffix(".part")
    question.write_text(json.dumps(asked))
    with environments.environment(replace(recipe), cache() / "environments") as python:
        command = [str(python), "-m", "try_identifiers.trial", str(question), str(answer)]
        environ = {**environments.quiet(recipe), "PYTHONPATH": str(environments.TOOLS)}
        environments.call(command, environments.RUN_SECONDS, environ)
    question.unlink()
    answer.replace(path)
    print(
        f"{recipe.name}  {' '.join(f'{title}={label}' for title, label in columns.items())}",
        file=sys.stderr,
        flush=True,
    )


if __name__ == "__main__":
    raise SystemExit(main())
