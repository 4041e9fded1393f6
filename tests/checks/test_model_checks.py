"""The checks of model definitions, with literal facts: each kind of verdict is told by one check, as gravely as it runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from envcheck.findings import Check, Severity
from envcheck.registry import checks
from envcheck.verdicts.found import Code, Place, Verdict

MDL = [each for each in checks() if "code" in each.facts and each.code[:4] in ("MDL1", "MDL2", "MDL3", "MDL4", "MDL5")]
KINDS = {
    "MDL101": "model-arguments",
    "MDL102": "model-inputs",
    "MDL103": "model-merge",
    "MDL104": "model-graph",
    "MDL105": "model-items",
    "MDL106": "model-names",
    "MDL107": "model-unbuilt",
    "MDL108": "model-symbolic",
    "MDL201": "model-compiled",
    "MDL202": "model-loss",
    "MDL203": "model-learning-rate",
    "MDL204": "model-metrics",
    "MDL205": "model-frozen",
    "MDL301": "model-data",
    "MDL302": "model-labels",
    "MDL303": "model-classes",
    "MDL304": "model-cardinality",
    "MDL305": "model-dtype",
    "MDL306": "model-dataset",
    "MDL307": "model-tokens",
    "MDL308": "model-nan",
    "MDL401": "model-super",
    "MDL402": "model-call",
    "MDL403": "model-config",
    "MDL404": "model-weights-in-call",
    "MDL405": "model-gradients",
    "MDL406": "model-weights",
    "MDL501": "model-cudnn",
    "MDL502": "model-half",
    "MDL503": "model-eagerly",
    "MDL504": "model-predict",
}
VERDICT = Verdict(
    "model-inputs",
    "keras.layers.LSTM",
    "TensorFlow 2.21.0 with Keras 3.15.1",
    Place("train.py", 8, 5, None, 15),
    "input_spec: expects rank 3, got 2: shape (None, 8), the output of LSTM (line 7): Keras 3 raises when the model is built",
    advice="give the LSTM before it return_sequences=True: it returns its last step alone",
    runs="raises",
    asked="model",
    details={"kind": "model", "stage": "construction", "keras": "3"},
)
each_check = pytest.mark.parametrize("check", MDL, ids=lambda check: check.code)


def test_each_check_is_here() -> None:
    assert {each.code for each in MDL} == set(KINDS)


@each_check
@pytest.mark.parametrize(
    ("runs", "severity"), [("raises", Severity.ERROR), ("differs", Severity.WARNING), ("works", Severity.NOTE)]
)
def test_a_verdict_of_its_kind_is_told(check: Check, runs: str, severity: Severity) -> None:
    code = Code((replace(VERDICT, kind=KINDS[check.code], runs=runs),))
    (finding,) = check.judge(code)
    assert finding.severity is severity
    assert finding.symbol == "keras.layers.LSTM"
    assert finding.location is not None
    assert (finding.location.path, finding.location.line, finding.location.column) == ("train.py", 8, 5)
    assert finding.message.startswith("LSTM: input_spec: expects rank 3, got 2")
    assert finding.fix is not None
    assert "return_sequences=True" in finding.fix.summary
    assert finding.evidence["kind"] == "model"
    assert finding.evidence["stage"] == "construction"
    assert finding.evidence["keras"] == "3"


@each_check
def test_other_verdicts_are_not_its_business(check: Check) -> None:
    others = tuple(replace(VERDICT, kind=kind) for code, kind in KINDS.items() if code != check.code)
    assert list(check.judge(Code((*others, replace(VERDICT, kind="absent-name"))))) == []
