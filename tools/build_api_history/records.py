"""The records that extraction leaves, kept outside the repository; one is made anew when its recipe or the extractor changed."""

import ast
import gzip
import hashlib
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tools.build_api_history import environments
from tools.build_api_history.recipes import Recipe, Root

EXTRACTOR = Path(__file__).resolve().parents[1] / "extract_api"


def cache_folder() -> Path:
    """Where records lie: $ENVCHECK_API_CACHE, else the user's cache."""
    base = os.environ.get("ENVCHECK_API_CACHE")
    return Path(base) if base else Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "envcheck" / "api"


def path_of(recipe: Recipe, root: Root) -> Path:
    """Where one root's record lies."""
    return cache_folder() / f"{recipe.name}.{root.book}.{key(recipe)}.json.gz"


def key(recipe: Recipe) -> str:
    """Changes with the recipe and with the extractor's code, not with its layout or comments."""
    digest = hashlib.sha256(repr(recipe).encode())
    for source in sorted(EXTRACTOR.glob("*.py")):
        if source.name != "live.py":
            digest.update(ast.dump(ast.parse(source.read_text())).encode())
    return digest.hexdigest()[:12]


def read(recipe: Recipe, root: Root) -> dict[str, Any]:
    """One root's record. Raises: FileNotFoundError."""
    with gzip.open(path_of(recipe, root), "rt", encoding="utf-8") as stream:
        found: dict[str, Any] = json.load(stream)
    return found


def make(wanted: list[Recipe], jobs: int) -> dict[str, str]:
    """Extract what is missing, `jobs` environments at a time.

    Returns: {recipe name: why it failed}.
    """
    missing = [recipe for recipe in wanted if not all(path_of(recipe, root).exists() for root in recipe.roots)]
    cache_folder().mkdir(parents=True, exist_ok=True)
    failed: dict[str, str] = {}

    def one(recipe: Recipe) -> None:
        try:
            with environments.environment(recipe, cache_folder() / "environments") as python:
                for root in recipe.roots:
                    plain = path_of(recipe, root).with_suffix("")
                    said = environments.extract(recipe, python, root.package, root.below, plain)
                    for older in cache_folder().glob(f"{recipe.name}.{root.book}.*.json.gz"):
                        older.unlink()
                    with gzip.GzipFile(str(plain) + ".gz.part", "wb", 6, mtime=0) as stream:
                        stream.write(plain.read_bytes())
                    Path(str(plain) + ".gz.part").replace(str(plain) + ".gz")
                    plain.unlink()
                    print(f"{recipe.name}  {said}", file=sys.stderr, flush=True)
        except environments.EnvironmentFailedError as error:
            failed[recipe.name] = str(error)
            print(f"{recipe.name}  FAILED  {error}", file=sys.stderr, flush=True)

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(one, missing))
    return failed


def tried_keywords() -> set[str]:
    """The keywords that the extractor tries, read from its source: it runs in other Pythons than ours."""
    tree = ast.parse((EXTRACTOR / "trials.py").read_text())
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "KEYWORDS":
            return set(ast.literal_eval(node.value))
    raise LookupError("trials.py has no KEYWORDS")
