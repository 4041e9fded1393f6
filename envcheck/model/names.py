"""Canonical names: one spelling for what can be reached by many, and the names that aliases stand for.

Where names lie: https://keras.io/api/ and the packages themselves (``tensorflow.python.keras``, ``keras.src``, the module
paths of standalone Keras 2).
"""

from __future__ import annotations

import re
from functools import lru_cache

from envcheck.model import layers as rules

_KERAS = re.compile(
    r"(tensorflow\.python\.keras(\.api(\._v[12])?(\.keras)?)?|tensorflow\.contrib\.keras(\.api\.keras|\.python\.keras)?"
    r"|tensorflow\.compat\.v[12]\.keras|tensorflow\.keras|tensorflow\.python\.tools\.keras|tf_keras|keras)"
    r"(\.src|\.api\._tf_keras\.keras|\._tf_keras\.keras|\.api(\._v[12])?(\.keras)?|\._v[12]\.keras)?(?=\.|$)"
)
_TENSORFLOW = re.compile(r"tensorflow\.(compat\.v[12]|_api\.v[12]|python\.(ops|framework|platform)\.\w+)(?=\.|$)")
_LAYER_MODULE = re.compile(r"keras\.layers(\.[a-z_0-9]+)+\.(?=[A-Z]\w*$)")
_ENGINE = re.compile(r"keras\.(engine|legacy|models)(\.[a-z_0-9]+)*\.(?=[A-Z]\w*$)")
_KIND = re.compile(
    r"keras\.(optimizers|losses|metrics|initializers|regularizers|callbacks)(\.[a-z_0-9]+)+\.(?=[A-Z]\w*$)"
)
_FUNCTION = re.compile(r"keras\.(layers|utils)\.[a-z_0-9]+\.(?=[a-z_]+$)")
_APPLICATION = re.compile(r"keras\.applications\.[a-z_0-9]+\.(?=[A-Z]\w*$)")


def words(text: str) -> frozenset[str]:
    """The words of a text, for long tables of names."""
    return frozenset(text.split())


ALIASES = {
    "keras.models.Model": "keras.Model",
    "keras.models.Sequential": "keras.Sequential",
    "keras.models.Functional": "keras.Model",
    "keras.layers.Input": "keras.Input",
    "keras.engine.Input": "keras.Input",
    "keras.Layer": "keras.layers.Layer",
    "keras.InputSpec": "keras.layers.InputSpec",
    "keras.layers.Convolution1D": "keras.layers.Conv1D",
    "keras.layers.Convolution2D": "keras.layers.Conv2D",
    "keras.layers.Convolution3D": "keras.layers.Conv3D",
    "keras.layers.Convolution1DTranspose": "keras.layers.Conv1DTranspose",
    "keras.layers.Convolution2DTranspose": "keras.layers.Conv2DTranspose",
    "keras.layers.Convolution3DTranspose": "keras.layers.Conv3DTranspose",
    "keras.layers.Deconvolution2D": "keras.layers.Conv2DTranspose",
    "keras.layers.Deconvolution3D": "keras.layers.Conv3DTranspose",
    "keras.layers.SeparableConvolution1D": "keras.layers.SeparableConv1D",
    "keras.layers.SeparableConvolution2D": "keras.layers.SeparableConv2D",
    "keras.layers.MaxPool1D": "keras.layers.MaxPooling1D",
    "keras.layers.MaxPool2D": "keras.layers.MaxPooling2D",
    "keras.layers.MaxPool3D": "keras.layers.MaxPooling3D",
    "keras.layers.AvgPool1D": "keras.layers.AveragePooling1D",
    "keras.layers.AvgPool2D": "keras.layers.AveragePooling2D",
    "keras.layers.AvgPool3D": "keras.layers.AveragePooling3D",
    "keras.layers.GlobalMaxPool1D": "keras.layers.GlobalMaxPooling1D",
    "keras.layers.GlobalMaxPool2D": "keras.layers.GlobalMaxPooling2D",
    "keras.layers.GlobalMaxPool3D": "keras.layers.GlobalMaxPooling3D",
    "keras.layers.GlobalAvgPool1D": "keras.layers.GlobalAveragePooling1D",
    "keras.layers.GlobalAvgPool2D": "keras.layers.GlobalAveragePooling2D",
    "keras.layers.GlobalAvgPool3D": "keras.layers.GlobalAveragePooling3D",
}
MERGING = {
    "add": "Add",
    "subtract": "Subtract",
    "multiply": "Multiply",
    "average": "Average",
    "maximum": "Maximum",
    "minimum": "Minimum",
    "concatenate": "Concatenate",
    "dot": "Dot",
}
"""Functions of ``keras.layers`` that make a merging layer and call it."""
ROOTS = frozenset(("tensorflow", "keras", "tf_keras", "numpy", "sklearn", "math", "functools", "itertools", "copy"))
"""Packages whose names stand for something here."""
KERAS_ROOTS = frozenset(("tensorflow", "keras", "tf_keras"))
STARS = {
    "keras.layers": words(
        "Activation ActivityRegularization Add AdditiveAttention AlphaDropout Attention Average AveragePooling1D "
        "AveragePooling2D AveragePooling3D AvgPool1D AvgPool2D BatchNormalization Bidirectional Concatenate Conv1D Conv2D "
        "Conv2DTranspose Conv3D Conv3DTranspose ConvLSTM1D ConvLSTM2D ConvLSTM3D Convolution1D Convolution2D Convolution3D "
        "Cropping1D Cropping2D Cropping3D Dense DepthwiseConv2D Dot Dropout ELU Embedding Flatten GRU GRUCell "
        "GaussianDropout GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D "
        "GlobalMaxPool2D GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D Input InputLayer InputSpec LSTM LSTMCell "
        "Lambda Layer LayerNormalization LeakyReLU Masking MaxPool1D MaxPool2D MaxPool3D MaxPooling1D MaxPooling2D "
        "MaxPooling3D Maximum Minimum MultiHeadAttention Multiply PReLU Permute RNN ReLU RepeatVector Reshape Rescaling "
        "Resizing SeparableConv1D SeparableConv2D SimpleRNN SimpleRNNCell Softmax SpatialDropout1D SpatialDropout2D "
        "SpatialDropout3D StackedRNNCells Subtract ThresholdedReLU TimeDistributed UpSampling1D UpSampling2D UpSampling3D "
        "ZeroPadding1D ZeroPadding2D ZeroPadding3D add average concatenate dot maximum minimum multiply subtract"
    ),
    "keras.models": words("Model Sequential load_model model_from_json clone_model"),
    "keras.optimizers": words("SGD RMSprop Adam Adadelta Adagrad Adamax Nadam Ftrl"),
    "keras.callbacks": words("ModelCheckpoint EarlyStopping TensorBoard ReduceLROnPlateau"),
    "keras.utils": frozenset(("to_categorical", "plot_model")),
    "keras": words("Input Model Sequential layers models optimizers losses utils backend"),
    "tensorflow.keras": frozenset(("Input", "Model", "Sequential", "layers", "models")),
}
"""What ``from module import *`` binds that is of use here, by canonical module."""


@lru_cache(maxsize=4096)
def canonical(name: str) -> str:
    """One name for every spelling: ``tf.keras.layers.convolutional.Conv2D`` is ``keras.layers.Conv2D``."""
    if not name.startswith(("tensorflow", "keras", "tf_keras")):
        return name
    found = _KERAS.match(name)
    if found is None:
        found = _TENSORFLOW.match(name)
        return "tensorflow" + name[found.end() :] if found else name
    name = "keras" + name[found.end() :]
    for pattern, to in ((_ENGINE, "keras.models."), (_KIND, r"keras.\1."), (_APPLICATION, "keras.applications.")):
        name = pattern.sub(to, name)
    name = _LAYER_MODULE.sub("keras.layers.", name)
    name = _FUNCTION.sub(r"keras.\1.", name)
    if name.startswith("keras.models.") and name.rpartition(".")[2] in ("Layer", "InputLayer", "InputSpec", "Input"):
        name = "keras.layers." + name.rpartition(".")[2]
    return ALIASES.get(name, name)


TELLING = (
    frozenset(rules.RULES)
    | frozenset(rules.ALIASES)
    | frozenset(name.rpartition(".")[2] for name in ALIASES)
    | words("Sequential Model Input load_model clone_model applications")
)
"""Words that name a layer or model."""
USING = TELLING | words("fit train_on_batch summary")
"""And what is done with one."""
MENTIONED = USING | words("to_categorical")
"""All that is looked for in a text."""


_HARMLESS = re.compile(
    r"(builtins\.(print|len|str|repr|type|isinstance|id|hash|dir|help|bool|int|float|min|max|sum|any|all|format|input|vars)$"
    r"|keras\.utils\.(plot_model|vis_utils\.plot_model|model_to_dot)|keras\.backend\.|keras\.callbacks\.|keras\.losses\."
    r"|keras\.metrics\.|keras\.optimizers\.|keras\.activations\.|keras\.preprocessing\.|keras\.ops\.|numpy\.|math\."
    r"|keras\.layers\.|tensorflow\.(math|nn|linalg|random|data|io|image|summary|config|debugging|strings|print$|lite\.)"
    r"|tensorflow\.[a-z_0-9]+$|matplotlib\.|logging\.|warnings\.|os\.|time\.|sys\.|sklearn\.metrics\.|pprint\.|json\.|pickle\.)"
)


_WRITING = re.compile(
    r"numpy\.(place|putmask|copyto|put|put_along_axis|fill_diagonal|nditer|resize|lib\.stride_tricks\.as_strided|\w+\.at)$"
)


def writes(name: str) -> bool:
    """Whether a function of numpy changes the array that it is given first."""
    return _WRITING.match(name) is not None


def harmless(name: str) -> bool:
    """Whether a function leaves models and lists that it is given as they are, as far as shapes go."""
    return _HARMLESS.match(name) is not None
