"""The report as JSON, in the shape of ``envcheck/schemas/report.schema.json``."""

from __future__ import annotations

import json

import msgspec

from envcheck.codec import encode_report
from envcheck.findings import Report
from envcheck.reporters import Style


def render(report: Report, style: Style) -> str:  # noqa: ARG001 - JSON has no style; the signature is every format's
    """JSON with two spaces of indentation, in ASCII: no control character of a file name reaches a terminal."""
    compact = json.dumps(encode_report(report))  # with an indent, json encodes in Python: ten times slower
    try:
        return msgspec.json.format(compact, indent=2) + "\n"
    except (
        msgspec.DecodeError
    ):  # a file name that is no UTF-8 is a lone surrogate, which only Python's own reads and writes
        return json.dumps(encode_report(report), indent=2) + "\n"
