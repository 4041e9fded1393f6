"""Every recorded release asked again: random names and keywords, put to the live package and to the history."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.version import Version

from envcheck.knowledge.api.answers import Api, Status
from envcheck.knowledge.api.history import Found
from envcheck.knowledge.api.target import FIRST_OWN_KERAS, Target
from tools.build_api_history import environments
from tools.build_api_history.recipes import Recipe

WORDS = (
    "dense",
    "Layers",
    "get_value",
    "run_step",
    "Conv",
    "losses_",
    "compile2",
    "to_tensorz",
    "experimental_",
    "Keras",
    "opt",
    "x",
)


@dataclass
class Verdict:
    """How one root of one release agreed.

    Args:
        root: `keras`, or `tensorflow`.
        names, keywords: questions put and answered by both sides.
        unknown: questions that one side could not answer.
        disagreements: one line each.
    """

    root: str
    names: int = 0
    keywords: int = 0
    unknown: int = 0
    disagreements: list[str] = field(default_factory=list)


def target_of(recipe: Recipe) -> Target:
    """What the environment of a recipe is, as a target."""
    release = Version(recipe.release[1])
    companion = next(Version(text.partition("==")[2]) for text in recipe.requirements if text.startswith("tensorflow"))
    if recipe.release[0] == "tensorflow":
        return Target(tensorflow=release)
    if recipe.release[0] == "keras":
        return Target(tensorflow=companion, keras=release)
    return Target(tensorflow=companion, tf_keras=release, legacy=True)


def roots(recipe: Recipe) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(package to import, the books that are asked about): tensorflow without tf.keras where another recipe is about that."""
    release = Version(recipe.release[1])
    if recipe.release[0] == "tensorflow":
        yield "tensorflow", ("tensorflow", "tensorflow.keras") if release < Version("2.16") else ("tensorflow",)
        if FIRST_OWN_KERAS <= release < Version("2.16"):
            yield "keras", ("keras",)
    elif recipe.release[0] == "keras":
        yield "keras", ("keras",)
        if release >= Version("3"):
            yield "tensorflow", ("tensorflow.keras",)
    else:
        yield "tf_keras", ("tf_keras",)
        if release >= Version("2.15"):
            yield "tensorflow", ("tf_keras",)


def ask(recipe: Recipe, python: Path, api: Api, count: int, folder: Path) -> list[Verdict]:
    """Put `count` questions to each root of an environment."""
    put = Asking(api, target_of(recipe), python, environments.quiet(recipe), folder)
    return [put.questions(package, titles, count, recipe.name) for package, titles in roots(recipe)]


@dataclass
class Asking:
    """One environment that is asked.

    Args:
        api: the history.
        target: what the environment is.
        python: its interpreter.
        environ: the variables that it is run with.
        folder: where questions and answers are put.
    """

    api: Api
    target: Target
    python: Path
    environ: dict[str, str]
    folder: Path

    def questions(self, package: str, titles: tuple[str, ...], count: int, seed: str) -> Verdict:
        """Draw about `count` questions on the names of some books, and put them to one root package and to the history."""
        chance = random.Random(f"{seed} {package}")  # noqa: S311 - a sample that can be drawn again
        prefix = {"tf_keras": "tensorflow.keras" if package == "tensorflow" else "tf_keras"}
        names = [
            name
            for title in titles
            for name in questions(self.api, title, prefix.get(title, title), chance, count // len(titles))
        ]
        keywords = list(keyword_questions(self.api, names, self.target, chance, count // 2))
        asked: dict[str, Any] = {"root": package, "names": names, "keywords": keywords}
        answers = self._answers(asked, f"{seed}.{package}")
        return compare(package, asked, answers, self.api, self.target)

    def _answers(self, asked: dict[str, Any], stem: str) -> dict[str, Any]:
        """The live package's answers; where an import ends the interpreter (2.20.0), the rest is asked in halves."""
        question_file, answer_file = (self.folder / f"{stem}.{end}" for end in ("questions", "answers"))
        question_file.write_text(json.dumps(asked))
        command = [str(self.python), "-m", "extract_api.live", str(question_file), str(answer_file)]
        environ = {**self.environ, "PYTHONPATH": str(environments.TOOLS)}
        try:
            environments.call(command, environments.RUN_SECONDS, environ)
        except environments.EnvironmentFailedError:
            names = asked["names"]
            if len(names) < 2:
                return {"names": ["unable"] * len(names), "keywords": [None] * len(asked["keywords"])}
            half = len(names) // 2
            first = self._answers({**asked, "names": names[:half]}, stem)
            second = self._answers({**asked, "names": names[half:], "keywords": []}, stem)
            return {"names": first["names"] + second["names"], "keywords": first["keywords"]}
        found: dict[str, Any] = json.loads(answer_file.read_text())
        return found


def questions(api: Api, title: str, prefix: str, chance: random.Random, count: int) -> list[str]:
    """Random names: of any release, members among them; names in modules that are no public ones; and names that never were."""
    book = api.shelf.book(title)
    names = book.names
    chosen = []
    for name in chance.sample(names, min(len(names), count * 11 // 20)):
        chosen.append(name)
        entry = book.entry(name)
        if entry is not None and entry.members:
            chosen += [
                f"{name}.{member}" for member in chance.sample(sorted(entry.members), min(2, len(entry.members)))
            ]
    for name in chance.sample(names, min(len(names), count // 10)):
        chosen.append(f"{name.rpartition('.')[0]}.{chance.choice(WORDS)}".lstrip("."))
    full = [f"{prefix}.{name}" for name in chosen]
    if title != "tensorflow.keras" and prefix == title:
        modules = api.shelf.modules(title)
        for name in chance.sample(modules.names, min(len(modules.names), count // 5)):
            module = modules.module(name)
            if module is not None and module.names:
                full += [f"{name}.{inner}" for inner in chance.sample(sorted(module.names), min(2, len(module.names)))]
            if chance.random() < 0.3:
                full.append(f"{name}.{chance.choice(WORDS)}")
    classes = [
        name
        for name in names
        if (entry := book.entry(name)) is not None and any(kind == "class" for kind, _ in entry.kinds)
    ]
    methods = sorted({member for name in classes for member in (book.entry(name).members if book.entry(name) else ())})  # type: ignore[union-attr]
    full += (
        [f"{prefix}.{chance.choice(classes)}.{chance.choice(methods)}" for _ in range(count // 5)] if classes else []
    )
    return [
        name
        for name in dict.fromkeys(full)
        if not any(part.startswith("__") and part != "__version__" for part in name.split("."))
    ]


def keyword_questions(
    api: Api, names: list[str], target: Target, chance: random.Random, count: int
) -> Iterator[tuple[str, str]]:
    """Random keywords of any release, and some of other callables, for names that are there without an import."""
    callable_names = []
    for name in names:
        answer = api.ask(name, target)
        if (
            answer.status in (Status.PRESENT, Status.DEPRECATED)
            and not answer.imported
            and any(_is_callable(one) for one in answer.found)
        ):
            callable_names.append(name)
    words = sorted({word for name in callable_names[:400] for word in api.parameters(_all(api, name))})
    for _ in range(count if callable_names else 0):
        name = chance.choice(callable_names)
        own = sorted(api.parameters(_all(api, name)))
        yield name, chance.choice(own) if own and chance.random() < 0.7 else chance.choice(words)


def _all(api: Api, name: str) -> tuple[Found, ...]:
    history = api.history(name)
    return history.found if history else ()


def _is_callable(found: Found) -> bool:
    return found.kind in ("class", "function", "callable")


def compare(root: str, asked: dict[str, Any], answers: dict[str, Any], api: Api, target: Target) -> Verdict:
    """The live package's answers against the history's."""
    verdict = Verdict(root)
    for name, live in zip(asked["names"], answers["names"], strict=True):
        answer = api.ask(name, target)
        if answer.status is Status.UNKNOWN or live == "unable":
            verdict.unknown += 1
            continue
        if any(one.kind == "attribute" for one in answer.found):
            continue  # set on instances: a class has none to show
        verdict.names += 1
        ours = "absent" if answer.status is Status.ABSENT else "import" if answer.imported else "attribute"
        if ours != live:
            verdict.disagreements.append(f"{name}: live {live}, recorded {ours}")
    for (name, keyword), live in zip(asked["keywords"], answers["keywords"], strict=True):
        ours_known = api.keyword(name, keyword, target)
        if live is None or ours_known.status is Status.UNKNOWN:
            verdict.unknown += 1
            continue
        through = any(
            "**" in fact.text for one in ours_known.found if one.entry for fact in one.entry.holding("(", one.mask)
        )
        if through:
            continue  # what **kwargs takes is found by trying, not by the signature
        verdict.keywords += 1
        if live != (ours_known.status is not Status.ABSENT):
            verdict.disagreements.append(f"{name}({keyword}=): live {live}, recorded {ours_known.status.value}")
    return verdict
