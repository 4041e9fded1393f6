"""The last word of a report, which must not promise more than was seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from envcheck.findings import Report, Status
from envcheck.inventory import Unavailable
from envcheck.links import Standing
from envcheck.reporters.text.code import is_code

if TYPE_CHECKING:
    from envcheck.probes.smoke import SmokeFacts

TRAINED = "MDL904"
"""The check of `envcheck build` that judges a training step of the user's model, where one ran."""


def verdict(report: Report) -> tuple[str, str]:
    """The sentence and its colour."""
    counts = report.counts()
    if is_code(report):
        return _of_code(report)
    if counts["error"]:
        return f"NOT READY: training will fail, or will not run where you think.{_breaks(report)}", "red"
    if counts["broken"]:
        return "UNDECIDED: envcheck itself failed.", "magenta"
    ran = (Status.PASSED, Status.FAILED)  # with a warning, where there is no error
    if any(outcome.code == TRAINED and outcome.status in ran for outcome in report.outcomes):
        words = "BUILT, with warnings" if counts["warning"] else "BUILT"
        return f"{words}: your model trained one step on made-up data.", "yellow" if counts["warning"] else "green"
    trained = _trained_on(report)
    if trained is None:
        run = report.inventory.facts.get("smoke")
        if report.exit_code and isinstance(run, Unavailable):
            return f"NOTHING WAS RUN: {run.reason}.", "red"
        why = "nothing was run" if run is None or isinstance(run, Unavailable) else "training was not judged"
        return f"NO ERROR FOUND in what was checked; {why}, so this is no promise.", "yellow"
    words = "READY, with warnings" if counts["warning"] else "READY"
    return f"{words}: a tiny model trained on {trained}.", "yellow" if counts["warning"] else "green"


def _breaks(report: Report) -> str:
    """Where the chain to the GPU breaks first, for the findings may be many."""
    state = next((each for each in report.chain if each.standing is Standing.BROKEN), None)
    if state is None or state.code is None:
        return ""
    return f" The chain to the GPU breaks first at: {state.link.words} ({state.code})."


def _of_code(report: Report) -> tuple[str, str]:
    """A scan sees names and calls, not whether a model trains; and it says nothing where it understood nothing."""
    counts, coverage = report.counts(), report.coverage
    if counts["error"]:
        return "NOT READY: this code fails on the target where the lines above run.", "red"
    if counts["broken"]:
        return "UNDECIDED: envcheck itself failed.", "magenta"
    if coverage is None or not coverage.scanned or coverage.unparsed >= coverage.scanned:
        return "UNDECIDED: no file could be read.", "magenta"
    if not coverage.total:
        return "NOTHING TO JUDGE: no scanned file uses TensorFlow or Keras.", "yellow"
    if coverage.hidden:
        were = f"{coverage.hidden} finding{' was' if coverage.hidden == 1 else 's were'}"
        return (
            f"NO OTHER ERROR FOUND: {were} left out by comments, settings or the baseline; nothing was run.",
            "yellow",
        )
    if counts["warning"] or coverage.unparsed or coverage.unknown * 10 > coverage.total:
        return "NO ERROR FOUND in what was understood; nothing was run, so this is no promise.", "yellow"
    return "NO ERROR FOUND: every name, parameter and method that was understood is there; nothing was run.", "green"


def _trained_on(report: Report) -> str | None:
    """The device on which the tiny model trained; None where that was not seen."""
    fit = next((outcome for outcome in report.outcomes if outcome.code == "SMK105"), None)
    facts = report.inventory.facts.get("smoke")
    if fit is None or fit.status is not Status.PASSED or facts is None or isinstance(facts, Unavailable):
        return None
    smoke = cast("SmokeFacts", facts)
    return next((step.device or "an unknown device" for step in smoke.steps if step.name == "fit"), None)
