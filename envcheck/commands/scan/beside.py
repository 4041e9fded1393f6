"""Code that is scanned beside an environment, by ``doctor PATH``: for what is installed, and as the project sets it for scans."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from envcheck.commands.scan import baseline
from envcheck.commands.scan.baseline import Baseline
from envcheck.commands.scan.kept import Found
from envcheck.commands.scan.known import beside, number, without_known
from envcheck.commands.scan.lines import with_source
from envcheck.commands.scan.run import NOT_INSTALLED, Options, examined, target_of
from envcheck.commands.scan.settings import Settings, settings
from envcheck.commands.scan.sifting import OURS
from envcheck.engine import Facts
from envcheck.errors import UsageError
from envcheck.findings import Check, Coverage, Outcome
from envcheck.knowledge.api.target import Target
from envcheck.knowledge.rows import folder
from envcheck.registry import checks
from envcheck.verdicts.code import Library
from envcheck.verdicts.models.judged import unjudged
from envcheck.verdicts.targets import completed


@dataclass(frozen=True, slots=True)
class Code:
    """The code that is to be scanned.

    Args:
        options: its paths, with what the project sets. The target is what is installed, whatever the project says.
        project: the settings.
        recorded: the project's baseline.
    """

    options: Options
    project: Settings
    recorded: Baseline | None

    @classmethod
    def at(cls, paths: Sequence[str]) -> Code:
        """The code at some paths.

        Raises:
            UsageError: the settings, or the baseline, cannot be used.
        """
        project = settings(paths, [check.code for check in checks()])
        options = Options(tuple(paths)).under(project)
        return cls(options, project, None if options.baseline is None else baseline.read(options.baseline))

    def chosen(self, found: Sequence[Check], selected: Sequence[str], ignored: Sequence[str]) -> tuple[Check, ...]:
        """The checks without those of code that the project does not want; filters of the command line stand in for its own.

        Raises:
            UsageError: none is left.
        """
        wanted = () if selected else self.project.select
        unwanted = () if ignored else self.project.ignore
        left = tuple(
            check
            for check in found
            if not check.code.startswith(OURS)
            or ((not wanted or check.code.startswith(wanted)) and not check.code.startswith(unwanted))
        )
        if not left:
            raise UsageError("the filters, with those of [tool.envcheck], leave no check to run")
        return left

    def scanned(self, facts: Facts, show: Callable[[str], None]) -> Scanned:
        """Read it and judge it for what is installed.

        Args:
            facts: those of the environment; they are given those of the code.
            show: is told what is being done.
        """
        library = Library(folder() / "api")
        installed = target_of(facts)
        target = installed or Target(tensorflow=library.api.shelf.book("tensorflow").versions[-1])
        options = replace(self.options, python=getattr(facts.get("python"), "executable", None))
        targets = [completed(target, library.api.shelf)]
        found = examined(options, targets, library, show, project=self.project)
        facts.give("code", found.code)
        return Scanned(self, found, () if installed else (NOT_INSTALLED,), tuple(unjudged(targets)))


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a scan found, and what must be said about it; ``models``: where somebody asks for mistakes in models."""

    code: Code
    found: Found
    notes: tuple[str, ...]
    models: tuple[str, ...] = ()

    def left(self, outcomes: Sequence[Outcome], chosen: Sequence[Check]) -> tuple[tuple[Outcome, ...], Coverage]:
        """The outcomes with their lines of code, and without the findings that the project knows; and how much was understood.

        Args:
            outcomes: of all checks; those that judge no code stay as they are.
            chosen: the checks that ran.
        """
        judged = [check.code for check in chosen if check.code.startswith(OURS)]
        every = [check.code for check in checks()]
        mine = {each.code: each for each in with_source([each for each in outcomes if each.code in judged], None)}
        left = tuple(mine.get(each.code, each) for each in outcomes)
        count = number(left)
        left, notes = without_known(left, self.found, self.code.project, every, judged)
        name = self.code.options.baseline
        if self.code.recorded is not None and name is not None:
            left, said = beside(left, self.code.recorded, name, self.found.scanned, judged)
            notes += said
        models = self.models if any(each.startswith("MDL") for each in judged) else ()
        said = (*self.found.coverage.notes, *self.notes, *models, *notes)
        return left, replace(self.found.coverage, notes=said, hidden=count - number(left))
