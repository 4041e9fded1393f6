"""The oracle: what it reads out of source, what a package made for it answers, and the figures that come of both."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tools.measure_scan import packages, tables
from tools.measure_scan.absences import absences
from tools.measure_scan.comparison import compare, unmatched
from tools.measure_scan.documents import read
from tools.measure_scan.inside import calls
from tools.measure_scan.project import Project
from tools.measure_scan.scanning import Said, Scan, load
from tools.measure_scan.targets import Target
from tools.measure_scan.truth import Truth

REPOSITORY = Path(__file__).parent.parent.parent
TARGET = Target("made", "tensorflow==9.9", "made")


def references(folder: Path, main: str, **others: str) -> list[dict[str, Any]]:
    """The references of `main.py`, which lies beside other files: ``package_name`` is `package/name.py`."""
    for name, text in {"main": main, **others}.items():
        path = folder / (name.replace("_", "/", 1) + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    rows = [row for record in Project(folder).records() for row in record["references"]]
    return [row for row in rows if row["path"].endswith("main.py")]


def told(rows: list[dict[str, Any]]) -> list[str]:
    """Line, kind and name of each, with what sets it aside."""
    return [
        f"{row['line']} {row['kind']} {row['name']}"
        + (f" ({row['guard']})" if row["guard"] else "")
        + (" (ambiguous)" if row["ambiguous"] else "")
        for row in rows
    ]


RESOLVED = {
    "import tensorflow as tf\ntf.keras.layers.Dense(1)": [
        "1 import tensorflow",
        "2 call tensorflow.keras.layers.Dense",
    ],
    "import tensorflow.keras.layers\ntensorflow.nn.relu": [
        "1 import tensorflow.keras.layers",
        "2 attribute tensorflow.nn.relu",
    ],
    "import tensorflow.compat.v1 as tf\ntf.Session()": [
        "1 import tensorflow.compat.v1",
        "2 call tensorflow.compat.v1.Session",
    ],
    "from keras import backend as K\nK.dot(1, 2)": ["1 import keras.backend", "2 call keras.backend.dot"],
    "from keras.layers import (\n  Dense,\n  LSTM)\nDense": [
        "1 import keras.layers.Dense",
        "1 import keras.layers.LSTM",
    ],
    "import keras\nL = keras.layers\nconv = L.Conv2D\nconv(1)": [
        "1 import keras",
        "2 attribute keras.layers",
        "3 attribute keras.layers.Conv2D",
        "4 call keras.layers.Conv2D",
    ],
    "import keras\na, b = keras.layers, 1\na.Dense\nb.Dense": [
        "1 import keras",
        "2 attribute keras.layers",
        "3 attribute keras.layers.Dense",
    ],
    "import tensorflow as tf\ndef f(tf):\n  return tf.nn": ["1 import tensorflow"],
    "import tensorflow as tf\ndef f():\n  tf.nn\n  tf = 1": ["1 import tensorflow"],
    "import tensorflow as tf\n[tf.x for tf in (tf.y,)]": ["1 import tensorflow", "2 attribute tensorflow.y"],
    "import tensorflow as tf\nlambda tf: tf.x\ntf = 1\ntf.y": ["1 import tensorflow"],
    "def f():\n  return tf.nn\nimport tensorflow as tf": ["3 import tensorflow", "2 attribute tensorflow.nn"],
    "import tensorflow as tf\nclass A:\n  tf = 1\n  tf.x\n  def f(self):\n    tf.y": [
        "1 import tensorflow",
        "6 attribute tensorflow.y",
    ],
    "import keras\nclass M(keras.Model):\n  pass": ["1 import keras", "2 base keras.Model"],
    "import tensorflow as tf\ndel tf\ntf.x": ["1 import tensorflow"],
    "import tensorflow as tf\ntf.x = tf.y\ntf.nn.z = 1": [
        "1 import tensorflow",
        "2 attribute tensorflow.y",
        "3 attribute tensorflow.nn",
    ],
    "import tensorflow as tf\ngetattr(tf, 'nn')\ngetattr(tf, 'x', None)\ngetattr(tf, name)": [
        "1 import tensorflow",
        "2 attribute tensorflow.nn",
        "3 attribute tensorflow.x (getattr default)",
    ],
    "import importlib\nm = importlib.import_module('keras.utils')\nm.plot": [
        "2 import keras.utils",
        "3 attribute keras.utils.plot",
    ],
    "from keras.layers import *\nDense(1)\nprint(1)": ["1 star keras.layers", "2 call keras.layers.Dense"],
    "from keras.layers import *\nfrom numpy import *\nDense(1)": [
        "1 star keras.layers",
        "3 call keras.layers.Dense (ambiguous)",
    ],
    "try:\n  from keras import a\nexcept ImportError:\n  from keras import b as a\na.x": [
        "2 import keras.a (try)",
        "4 import keras.b (handler)",
        "5 attribute keras.a.x (ambiguous)",
        "5 attribute keras.b.x (ambiguous)",
    ],
    "try:\n  from keras import a\nexcept ImportError:\n  raise SystemExit": ["2 import keras.a (reraised)"],
    "try:\n  from keras import a\nexcept KeyError:\n  pass": ["2 import keras.a"],
    "import tensorflow as tf\nif tf.__version__ < '2':\n  tf.x\nelse:\n  tf.y": [
        "1 import tensorflow",
        "2 attribute tensorflow.__version__",
        "3 attribute tensorflow.x (condition)",
        "5 attribute tensorflow.y (condition)",
    ],
    "import tensorflow as tf\nOLD = tf.__version__ < '2'\ndef f():\n  if OLD:\n    return tf.x\n  tf.y": [
        "1 import tensorflow",
        "2 attribute tensorflow.__version__",
        "5 attribute tensorflow.x (condition)",
        "6 attribute tensorflow.y (after early return)",
    ],
    "import tensorflow as tf\nhasattr(tf, 'x') and tf.x": [
        "1 import tensorflow",
        "2 attribute tensorflow.x (condition)",
    ],
    "from __future__ import annotations\nimport keras\ndef f(x: keras.Model): pass": [
        "2 import keras",
        "3 attribute keras.Model (annotation)",
    ],
    "if x:\n  import keras\nelse:\n  keras = None\nkeras.x": ["2 import keras", "5 attribute keras.x (ambiguous)"],
    "try:\n  import keras\nfinally:\n  pass\ntry:\n  1\nexcept ImportError:\n  keras.y": [
        "2 import keras",
        "8 attribute keras.y (handler)",
    ],
    "import keras\ndef f():\n  global keras\n  keras = 1\ndef g():\n  keras.x": [
        "1 import keras",
        "6 attribute keras.x (ambiguous)",
    ],
    "import numpy as np\nnp.x\nfrom os import path\npath.y": [],
}


@pytest.mark.parametrize("source", RESOLVED)
def test_reads_what_the_source_names(source: str, tmp_path: Path) -> None:
    assert told(references(tmp_path, source)) == RESOLVED[source]


def test_calls_carry_keywords_with_their_literals_and_the_positional_count(tmp_path: Path) -> None:
    source = "from keras.layers import Dense\nDense(1, 2, use_bias=True, name=n)\nDense(*a, **k)"
    calls = [row for row in references(tmp_path, source) if row["kind"] == "call"]
    assert [(row["keywords"], row["positional"]) for row in calls] == [
        ({"use_bias": True, "name": None}, 2),
        ({}, None),
    ]


def test_what_a_module_of_the_project_binds_is_followed(tmp_path: Path) -> None:
    rows = references(
        tmp_path,
        "from pkg import compat\nfrom pkg.compat import tf, NEW, f\ntf.x\ncompat.tf.y\nf.z\nif NEW:\n  tf.w",
        pkg___init__="from . import compat",
        pkg_main="from . import compat as c\nfrom .compat import tf\nfrom ..pkg import compat as d\ntf.r\nc.tf.s\nd.tf.t",
        pkg_compat="import tensorflow.compat.v1 as tf\nNEW = tf.__version__ > '2'\ndef f(): pass",
    )
    names = ["3 attribute tensorflow.compat.v1.x", "4 attribute tensorflow.compat.v1.y"]
    inside = [f"{line} attribute tensorflow.compat.v1.{name}" for line, name in ((4, "r"), (5, "s"), (6, "t"))]
    assert told(rows) == [*names, "7 attribute tensorflow.compat.v1.w (condition)", *inside]
    assert rows[0]["statement"] == "import tensorflow.compat.v1 as _"


def test_modules_that_import_each_other_end(tmp_path: Path) -> None:
    rows = references(tmp_path, "import a\nimport keras\nkeras.x", a="from main import keras\n")
    assert told(rows) == ["2 import keras", "3 attribute keras.x"]


def test_a_package_of_that_name_in_the_project_is_local(tmp_path: Path) -> None:
    rows = references(tmp_path, "import keras\nimport tensorflow", keras___init__="")
    assert [(row["name"], row["local"]) for row in rows] == [("keras", True), ("tensorflow", False)]


def test_notebook_cells_keep_their_numbers_and_lose_their_magics(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "markdown", "source": "text"},
        {"cell_type": "code", "source": ["%matplotlib inline\n", "import keras\n", "!ls\n", "x = !ls\n", "keras?"]},
        {"cell_type": "code", "source": "%%bash\necho ("},
        {"cell_type": "code", "source": "%%time\nkeras.a"},
        {"cell_type": "code", "source": "print 'two'"},
    ]
    path = tmp_path / "main.ipynb"
    path.write_text(json.dumps({"cells": cells}))
    record = next(iter(Project(tmp_path).records()))
    assert [(row["cell"], row["line"], row["name"]) for row in record["references"]] == [
        ((2, 1), 2, "keras"),
        ((4, 3), 2, "keras.a"),
    ]
    assert len(record["problems"]) == 1
    assert record["problems"][0].startswith("cell 5: SyntaxError")
    assert tables.source_line(str(path), 4, 2) == "keras.a"


@pytest.mark.parametrize("content", [b"\x00", b"def", b"(" * 2000, b"\xff\xfe"])
def test_what_does_not_parse_is_one_problem(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "main.py"
    path.write_bytes(content)
    parts, problems = read(path)
    assert (parts, len(problems)) == ([], 1)


PACKAGE = {
    "tensorflow/__init__.py": """
        import tensorflow.nn
        from tensorflow import keras
        class Flags: pass
        FLAGS = Flags()
    """,
    "tensorflow/nn.py": "def relu(x, *, name=None): pass",
    "tensorflow/late.py": "here = 1",
    "tensorflow/broken.py": "import nowhere_at_all",
    "tensorflow/keras/__init__.py": """
        from tensorflow.keras import layers
        class Model:
            def __init__(self, **options):
                self.late = 1
            def fit(self, x, epochs=1): pass
    """,
    "tensorflow/keras/layers.py": """
        import functools
        class Dense:
            def __init__(self, units, use_bias=True, **options):
                options.pop("name", None)
                if options:
                    raise TypeError("Keyword argument not understood: %s" % sorted(options))
        class Plain:
            def __init__(self, units): pass
        def legacy(function):
            @functools.wraps(function)
            def wrapper(*args, **options):
                options.pop("old", None)
                return function(*args, **options)
            return wrapper
        class Wrapped:
            @legacy
            def __init__(self, units): pass
        class Renamed:
            def __init__(self, size, **options):
                if size == 1 and options:
                    raise TypeError("unexpected keyword argument: %s" % sorted(options))
        class Unmade:
            def __init__(self): raise ValueError
        class Built:
            def build(self, shape):
                if len(shape) == 3:
                    self.kernel = 1
        class Meta(type):
            def __call__(cls, *args, **options): return 1
        class Made(metaclass=Meta):
            def __init__(self): pass
    """,
}
MAIN = """\
import tensorflow as tf
from tensorflow.keras import layers, gone
tf.nn.relu(1, name="x", axis=1)
tf.nn.elu(1)
tf.late.here
tf.FLAGS.option
layers.Dense(1, 2, name="d", lr=0.1)
layers.Plain(1, 2, old=1)
layers.Wrapped(1, old=1, new=2)
layers.Made(1, x=1)
layers.Renamed(size=2, row=1)
from tensorflow import broken
import tf_keras
"""


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of corpora with one project, and an environment with a package made for it, in place of the real ones."""
    if sys.platform == "win32":
        pytest.skip("the oracle forks")
    site = tmp_path / "site"
    for name, text in PACKAGE.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        lines = text.strip("\n").split("\n")
        indent = len(lines[0]) - len(lines[0].lstrip())
        (site / name).write_text("\n".join(line[indent:] for line in lines))
    python = tmp_path / "environments" / "made" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nPYTHONPATH="$PYTHONPATH:{site}" exec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    project = tmp_path / "corpora" / "project"
    project.mkdir(parents=True)
    (project / "main.py").write_text(MAIN)
    monkeypatch.setenv("ENVCHECK_REAL_ENVIRONMENTS", str(tmp_path / "environments"))
    monkeypatch.setenv("ENVCHECK_CORPORA", str(tmp_path / "corpora"))
    return project


def test_the_package_itself_answers(made: Path) -> None:
    records = list(Project(made).records())
    answers = packages.ask(TARGET, packages.questions(records))
    truth = Truth(answers)
    assert truth.died == []
    names = {(row["line"], row["name"]): truth.name(records[0]["loads"], row) for row in records[0]["references"]}
    statuses = {name: answer.status for (_, name), answer in names.items()}
    assert statuses == {
        "tensorflow": "present",
        "tensorflow.keras.layers": "present",
        "tensorflow.keras.gone": "absent",
        "tensorflow.nn.relu": "present",
        "tensorflow.nn.elu": "absent",
        "tensorflow.late.here": "absent",
        "tensorflow.FLAGS.option": "dynamic",
        "tensorflow.keras.layers.Dense": "present",
        "tensorflow.keras.layers.Plain": "present",
        "tensorflow.keras.layers.Wrapped": "present",
        "tensorflow.keras.layers.Made": "present",
        "tensorflow.keras.layers.Renamed": "present",
        "tensorflow.broken": "unknown",
        "tf_keras": "uninstalled",
    }
    assert names[4, "tensorflow.nn.elu"].there == "tensorflow.nn"
    keywords = {
        (row["name"].rpartition(".")[2], row["keyword"]): row["status"] for row in answers if row["kind"] == "keyword"
    }
    assert keywords == {
        ("relu", "name"): "accepted",
        ("relu", "axis"): "rejected",
        ("Dense", "name"): "accepted",
        ("Dense", "lr"): "rejected",
        ("Plain", "old"): "rejected",
        ("Wrapped", "old"): "accepted",
        ("Wrapped", "new"): "rejected",
        ("Made", "x"): "accepted",
        ("Renamed", "size"): "accepted",
        ("Renamed", "row"): "accepted",
    }
    counts = {row["name"].rpartition(".")[2]: row["status"] for row in answers if row["kind"] == "positional"}
    assert counts == {
        "relu": "ok",
        "Dense": "ok",
        "elu": "unknown",
        "Plain": "too many",
        "Wrapped": "ok",
        "Made": "unknown",
    }


def test_a_file_sees_what_its_own_imports_loaded(made: Path) -> None:
    (made / "main.py").write_text("import tensorflow as tf\ntf.late.here")
    (made / "other.py").write_text("import tensorflow as tf\nimport tensorflow.late\ntf.late.here")
    records = list(Project(made).records())
    truth = Truth(packages.ask(TARGET, packages.questions(records)))
    last = [truth.name(record["loads"], record["references"][-1]).status for record in records]
    assert last == ["absent", "present"]


def test_names_that_only_the_scan_found_are_asked_as_it_wrote_them(made: Path) -> None:
    wanted = {
        ("tensorflow.keras.Model().fit", None): "present",
        ("tensorflow.keras.Model().late", None): "present",
        ("tensorflow.keras.Model.late", None): "present",
        ("tensorflow.keras.layers.Unmade.x", None): "unknown",
        ("tensorflow.keras.layers.Built.kernel", None): "present",
        ("tensorflow.keras.Model().fit_generator", None): "absent",
        ("tensorflow.nn.relu().x", None): "unknown",
        ("tensorflow.late.here", None): "present",
        ("tensorflow.late.gone", None): "absent",
        ("tensorflow.keras.Model().fit", "epochs"): "present",
        ("tensorflow.keras.Model().fit", "nb_epoch"): "present",
    }
    members: list[dict[str, Any]] = [{"name": name, "keyword": keyword} for name, keyword in wanted]
    answers = packages.ask(TARGET, {"names": [], "calls": [], "members": members})
    assert {(row["name"], row["keyword"]): row["status"] for row in answers} == wanted
    truth = Truth(answers)
    assert truth.member_keyword("tensorflow.keras.Model().fit", "epochs").status == "accepted"
    assert truth.member_keyword("tensorflow.keras.Model().fit", "nb_epoch").status == "rejected"


def test_an_answer_is_kept_until_the_question_changes(made: Path) -> None:
    asked = packages.questions(list(Project(made).records()))
    first = packages.ask(TARGET, asked)
    (Path(os.environ["ENVCHECK_REAL_ENVIRONMENTS"]) / "made" / "bin" / "python").unlink()
    assert packages.ask(TARGET, asked) == first
    with pytest.raises(packages.NoAnswerError, match="no interpreter"):
        packages.ask(TARGET, {**asked, "calls": asked["calls"][1:]})


RECORD: dict[str, Any] = {"path": "/p/a.py", "loads": ["import keras"], "problems": []}


def reference(line: int, name: str, **more: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "path": "/p/a.py", "cell": None, "line": line, "end": line, "column": 1, "name": f"keras.{name}",
        "statement": "import keras as _", "attributes": name.split("."), "kind": "attribute", "keywords": {},
        "positional": 0, "guard": None, "ambiguous": False, "local": False,
    }  # fmt: skip
    return {**row, **more}


def answer(name: str, status: str, found: int) -> dict[str, Any]:
    group = packages.group(RECORD["loads"])
    return {
        "kind": "name", "group": group, "statement": "import keras as _", "attributes": name.split("."),
        "status": status, "found": found, "detail": "",
    }  # fmt: skip


def said(line: int, name: str, kind: str, status: str, parameter: str | None = None) -> Said:
    return Said("/p/a.py", None, line, f"keras.{name}", kind, status, parameter)


def test_the_figures() -> None:
    rows = [
        reference(1, "gone"),
        reference(2, "there"),
        reference(3, "overlooked"),
        reference(4, "unseen"),
        reference(5, "held", guard="try"),
        reference(6, "Dense", kind="call", keywords={"lr": 0.1, "nb": 1, "name": "x"}),
        reference(7, "part.of"),
        reference(8, "counted"),
    ]
    answers = [
        answer("gone", "absent", 0),
        answer("there", "present", 1),
        answer("overlooked", "absent", 0),
        answer("unseen", "absent", 0),
        answer("held", "absent", 0),
        answer("Dense", "present", 1),
        answer("part.of", "absent", 1),
        answer("counted", "absent", 0),
        {"kind": "keyword", "name": "keras.Dense", "keyword": "lr", "status": "rejected", "detail": ""},
        {"kind": "keyword", "name": "keras.Dense", "keyword": "nb", "status": "rejected", "detail": ""},
        {"kind": "keyword", "name": "keras.Dense", "keyword": "name", "status": "accepted", "detail": ""},
        {"kind": "member", "name": "keras.Model().x", "keyword": None, "status": "absent", "detail": ""},
        {"kind": "member", "name": "keras.Model().y", "keyword": None, "status": "unknown", "detail": ""},
    ]
    scan = Scan(
        findings=[
            said(1, "gone", "absent-name", "reported"),
            said(2, "there", "moved", "reported"),
            said(6, "Dense", "absent-parameter", "reported", "lr"),
            said(6, "Dense", "absent-parameter", "reported", "name"),
            said(7, "part", "absent-module", "reported"),
            said(9, "Model().x", "method", "reported"),
            said(9, "Model().y", "method", "reported"),
            said(2, "there", "deprecated", "reported"),
        ],
        references=[
            said(1, "gone", "attribute", "reported"),
            said(3, "overlooked", "attribute", "known"),
            said(6, "Dense", "call", "known"),
            said(8, "counted", "attribute", "unknown"),
        ],
        coverage={},
    )
    records = [{**RECORD, "references": rows}]
    assert [row["name"] for row in unmatched(scan, records)] == ["keras.Model().x", "keras.Model().y"]
    found = compare(scan, records, Truth(answers))
    assert (found.scores["names"].true, found.scores["names"].false) == (1, 2)
    members = found.scores["members"]
    assert (members.true, members.false, members.undecided) == (1, 0, 1)
    assert dict(found.members) == {"keras.Model().x": 1, "keras.Model().y": 1}
    assert dict(found.scores["names"].lacking) == {"reported": 2, "known": 1, "unseen": 1, "unknown": 1}
    assert found.scores["names"].recall == pytest.approx(3 / 5)
    assert found.scores["names"].reported == pytest.approx(2 / 5)
    assert (found.scores["parameters"].true, found.scores["parameters"].false) == (1, 1)
    assert dict(found.scores["parameters"].lacking) == {"reported": 1, "known": 1}
    assert found.unknown_share == pytest.approx(1 / 4)
    assert sorted((one.about, one.side, one.line, one.parameter) for one in found.disagreements) == [
        ("names", "false", 2, None),
        ("names", "false", 7, None),
        ("names", "left open", 8, None),
        ("names", "missed", 3, None),
        ("names", "missed", 4, None),
        ("parameters", "false", 6, "name"),
        ("parameters", "missed", 6, "nb"),
    ]


def test_a_report_of_what_is_guarded_is_told_apart() -> None:
    rows = [reference(1, "gone", guard="try"), reference(2, "gone", guard="reraised")]
    scan = Scan([said(1, "gone", "absent-name", "reported"), said(2, "gone", "absent-name", "reported")], [], {})
    found = compare(scan, [{**RECORD, "references": rows}], Truth([answer("gone", "absent", 0)]))
    assert (found.scores["names"].true, found.scores["names"].false, found.scores["names"].lacking.total()) == (2, 0, 0)
    assert [(one.side, one.line) for one in found.disagreements] == [("guarded", 1)]


def test_what_a_project_has_itself_is_counted_apart() -> None:
    rows = [reference(1, "gone", local=True), reference(2, "gone", local=True)]
    scan = Scan([said(1, "gone", "absent-name", "reported"), said(3, "there", "absent-name", "reported")], [], {})
    answers = [
        answer("gone", "absent", 0),
        {"kind": "member", "name": "keras.there", "keyword": None, "status": "present", "detail": ""},
    ]
    found = compare(scan, [{**RECORD, "references": rows}], Truth(answers))
    own, members = found.scores["own names"], found.scores["own members"]
    assert (own.true, own.false, dict(own.lacking)) == (1, 0, {"reported": 1, "unseen": 1})
    assert (members.true, members.false) == (0, 1)
    assert found.scores["names"].lacking.total() == 0


def test_results_as_a_table_and_as_data(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("import keras\nkeras.gone\n")
    rows = [reference(2, "gone", path=str(path)), reference(2, "gone", path=str(path))]
    empty = Scan([], [], {})
    found = compare(empty, [{**RECORD, "references": rows}], Truth([answer("gone", "absent", 0)]))
    lines = tables.markdown({"made": found}).splitlines()
    assert lines[2] == "| made | names | 0 | 1.0000 | 0 | 2 | 0.0000 | 0.0000 | 0.00% |"
    assert "- missed names `keras.gone` × 2: the scan saw nothing in this file" in lines
    assert len([line for line in lines if line.startswith("| made ")]) == 1
    assert f"  - {path}:2 `keras.gone`" in lines
    plain = json.loads(json.dumps(tables.plain({"made": found})))["made"]
    assert plain["names"]["lacking"] == {"unseen": 2}
    assert [row["source"] for row in plain["disagreements"]] == ["keras.gone", "keras.gone"]


def test_absences_tell_where_a_name_is_there() -> None:
    record = {**RECORD, "references": [reference(1, "gone"), reference(2, "gone", guard="try"), reference(3, "never")]}
    truths = {
        "old": Truth([answer("gone", "present", 1), answer("never", "absent", 0)]),
        "new": Truth([answer("gone", "absent", 0), answer("never", "absent", 0)]),
    }
    rows = absences([record], truths, "new")
    assert rows["keywords"] == []
    told = [(row["name"], row["count"], row["other"], row["there"]) for row in rows["names"]]
    assert told == [("keras.gone", 1, 1, ["old"]), ("keras.never", 1, 0, [])]


def test_the_report_and_the_references_of_a_scan_are_read(tmp_path: Path) -> None:
    finding = {
        "message": "gone",
        "location": {"path": "/p/a.py", "line": 3, "column": 1, "cell": None},
        "symbol": "keras.gone",
        "evidence": {"kind": "absent-name", "parameter": None, "target": "x"},
    }
    report, seen = tmp_path / "report.json", tmp_path / "seen.jsonl"
    report.write_text(json.dumps({"outcomes": [{"findings": [finding, {"message": "no place", "location": None}]}]}))
    row = {"path": "/p/a.py", "cell": 2, "line": 1, "column": 1, "symbol": "keras.x", "kind": "call", "status": "known"}
    seen.write_text(json.dumps(row) + "\n")
    scan = load(report, seen)
    assert scan.findings == [Said("/p/a.py", None, 3, "keras.gone", "absent-name", "reported", None, "gone")]
    assert scan.references == [Said("/p/a.py", 2, 1, "keras.x", "call", "known")]


def test_the_command_says_which_interpreter_is_missing(tmp_path: Path) -> None:
    (tmp_path / "corpora" / "project").mkdir(parents=True)
    (tmp_path / "corpora" / "project" / "a.py").write_text("import keras")
    done = subprocess.run(
        [sys.executable, "-m", "tools.measure_scan", "absent", "--target", "2.15.1", "--corpora", tmp_path / "corpora"],
        cwd=REPOSITORY,
        env={**os.environ, "ENVCHECK_REAL_ENVIRONMENTS": str(tmp_path), "ENVCHECK_CORPORA": str(tmp_path / "corpora")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("2.15.1: no interpreter at ")


def _handed_on(function: Callable[..., object]) -> Callable[..., object]:
    """A decorator whose own function asks for arguments, as Keras 2.3's ``allow_write_to_gcs`` does."""

    @functools.wraps(function)
    def wrapper(thing: object, path: object, *args: object, **kwargs: object) -> object:
        return function(thing, path, *args, **kwargs)

    return wrapper


def _passed_on(function: Callable[..., object]) -> Callable[..., object]:
    @functools.wraps(function)
    def wrapper(*args: object, **kwargs: object) -> object:
        return function(*args, **kwargs)

    return wrapper


@pytest.mark.parametrize("decorated", [_handed_on, _passed_on])
def test_a_keyword_behind_a_decorator_is_decided_by_what_it_wraps(
    decorated: Callable[[Callable[..., object]], Callable[..., object]],
) -> None:
    def save(thing: object, path: object, overwrite: bool = True) -> None:
        raise AssertionError("it must not run")

    function = decorated(save)
    assert calls.keyword(function, "overwrite", [], []) == ("accepted", "signature")
    assert calls.keyword(function, "save_format", [], [])[0] == "rejected"
