"""Programs that make ``tf.keras`` tf_keras themselves."""

from __future__ import annotations

import ast

import pytest

from envcheck.source.flags import legacy_keras

FLAG = "TF_USE_LEGACY_KERAS"
SET = (
    f'import os\nos.environ["{FLAG}"] = "1"\nimport tensorflow as tf',
    f'import os, tensorflow as tf\nos.environ["{FLAG}"] = "True"\ntf.keras.Input((3,))',
    f'import os\nos.environ.setdefault("{FLAG}", "true")',
    f'import os\nos.putenv("{FLAG}", "1")',
    f'import os\nos.environ.update({{"{FLAG}": "1"}})',
    f'import os\nos.environ.update({FLAG}="1")',
    f'from os import environ\ntry:\n    environ["{FLAG}"] = "1"\nexcept OSError:\n    pass',
    f'import os\nfrom tensorflow import keras\nos.environ["{FLAG}"] = "1"',
)
NOT_SET = (
    "import tensorflow as tf",
    f'import os\n# os.environ["{FLAG}"] = "1"',
    f'import os\nos.environ["{FLAG}"] = "0"',
    f'import os\nos.environ["{FLAG}"] = value',
    f'import os\nprint("{FLAG}", "1")\nprint(os.environ["{FLAG}"])',
    f'import os\nfrom tensorflow.keras import layers\nos.environ["{FLAG}"] = "1"',
    f'import os\nimport tensorflow.keras\nos.environ["{FLAG}"] = "1"',
    f'import os\ndef later():\n    os.environ["{FLAG}"] = "1"',
    f'import os\nos.environ.update(*pairs, **more)\nos.environ.update({{**more}})\n"{FLAG}"',
)


@pytest.mark.parametrize("text", SET)
def test_the_flag_is_set(text: str) -> None:
    assert legacy_keras(ast.parse(text), text)


@pytest.mark.parametrize("text", NOT_SET)
def test_the_flag_is_not_set(text: str) -> None:
    assert not legacy_keras(ast.parse(text), text)
