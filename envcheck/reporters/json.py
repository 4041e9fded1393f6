"""The report as JSON, in the shape of ``envcheck/schemas/report.schema.json``."""

from __future__ import annotations

import json

from envcheck.codec import encode_report
from envcheck.findings import Report
from envcheck.reporters import Style


def render(report: Report, style: Style) -> str:  # noqa: ARG001 - JSON has no style; the signature is every format's
    """JSON with two spaces of indentation, in ASCII: no control character of a file name reaches a terminal."""
    return json.dumps(encode_report(report), indent=2) + "\n"
