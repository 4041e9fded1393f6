"""The report as JSON, in the shape of ``envcheck/schemas/report.schema.json``."""

from __future__ import annotations

import json
from dataclasses import replace

import msgspec

from envcheck.codec import encode_outcome, encode_report
from envcheck.findings import Report
from envcheck.reporters import Style


def render(report: Report, style: Style) -> str:  # noqa: ARG001 - JSON has no style; the signature is every format's
    """JSON with two spaces of indentation, in ASCII: no control character of a file name reaches a terminal."""
    try:  # with an indent, json encodes in Python: ten times slower
        return msgspec.json.format(_compact(report), indent=2) + "\n"
    except (
        msgspec.DecodeError
    ):  # a file name that is no UTF-8 holds a lone surrogate, which Python alone reads and writes
        return json.dumps(encode_report(report), indent=2) + "\n"


def _compact(report: Report) -> str:
    """On one line; the outcomes of a scan, which may hold thousands of findings, are encoded one by one to hold less at once."""
    whole = encode_report(replace(report, outcomes=()))
    names = list(whole)
    place = names.index("outcomes")
    before, after = ({name: whole[name] for name in part} for part in (names[:place], names[place + 1 :]))
    outcomes = ", ".join(json.dumps(encode_outcome(outcome)) for outcome in report.outcomes)
    counts = report.counts()
    return f'{json.dumps(before)[:-1]}, "outcomes": [{outcomes}], {json.dumps({**after, "summary": counts})[1:]}'
