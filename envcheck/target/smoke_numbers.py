"""Part of smoke.py: the numbers that go in, what must come out by NumPy, and how far off is rounding.

Standard library only until a step is run.
"""

import re
from typing import Any, List, Tuple

from smoke_steps import Wrong  # type: ignore[import-not-found]

EXACT = 1e-5
"""Tolerance, as a part of the largest expected value. The inputs are small whole numbers: their products and sums are
exact in float32 and in the 10 bits of TensorFloat-32, which GPUs from Ampere on use by default."""
TRANSFORMED = 1e-2
"""The same for convolutions and recurrent layers on a GPU: cuDNN may choose a Winograd or FFT algorithm, and a recurrent
layer has fractions anyway, which TensorFloat-32 rounds to about 1e-3 each."""
RECURRENT = 1e-4
"""The same for a recurrent layer in float32: some hundred roundings of 6e-8, and tanh and the exponential function, which
vectorised libraries approximate to a few units in the last place."""
ROUND_OFF = {"float32": 2.0**-24, "float16": 2.0**-11, "bfloat16": 2.0**-8}
"""Unit round-off of a type: half of the distance from 1 to the next number (IEEE 754; bfloat16 has 8 bits of precision)."""
TENSOR_FLOAT = 2.0**-11
"""The same of TensorFloat-32, to which a GPU from Ampere on rounds the factors of a float32 product: it has the 10 bits of
float16. https://blogs.nvidia.com/blog/tensorfloat-32-precision-format/"""
LENGTH = 32
"""Terms of each sum in the products whose rounding is looked at."""


def is_gpu(device: str) -> bool:
    """Whether a device such as ``GPU:0`` is an accelerator."""
    return not device.startswith("CPU")


def release(version: str) -> Tuple[int, ...]:
    """``(2, 15, 1)`` for "2.15.1-rc0"."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def whole_numbers(shape: Tuple[int, ...], seed: int) -> Any:
    """A NumPy array of small whole numbers."""
    import numpy as np

    return np.random.RandomState(seed).randint(-4, 5, shape).astype("float32")


def fractions(shape: Tuple[int, ...], seed: int) -> Any:
    """A NumPy array of fractions between -1 and 1."""
    import numpy as np

    return np.random.RandomState(seed).uniform(-1, 1, shape).astype("float32")


def compare(what: str, found: Any, expected: Any, tolerance: float) -> str:
    """Say how far ``found`` is from ``expected`` (NumPy arrays).

    Raises:
        Wrong: another shape, or further away than ``tolerance`` times the largest expected value.
    """
    import numpy as np

    if found.shape != expected.shape:
        raise Wrong("{}: the result has the shape {}, expected {}".format(what, found.shape, expected.shape))
    deviation = float(np.max(np.abs(found - expected)) / np.max(np.abs(expected)))
    if not deviation <= tolerance:  # NaN, too
        raise Wrong("{} deviates by {:.2g} from NumPy; at most {:g} is rounding".format(what, deviation, tolerance))
    return "{} deviates by {:.1g} from NumPy (tolerance {:g})".format(what, deviation, tolerance)


def rounding(dtype: str, device: str) -> float:
    """How far a product of two matrices of ``dtype`` may be off, as a part of the product of their absolute values.

    Each of the :data:`LENGTH` additions, the multiplication and the result are rounded once: N. Higham, Accuracy and
    Stability of Numerical Algorithms, 2nd edition, 3.1. The factors are given in ``dtype``, so that only TensorFloat-32
    rounds them again.
    """
    factors = 2 * TENSOR_FLOAT if dtype == "float32" and is_gpu(device) else 0.0
    return factors + (LENGTH + 2) * ROUND_OFF[dtype]


def compare_rounded(dtype: str, found: Any, left: Any, right: Any, device: str) -> str:
    """Say how far ``found`` is from the product of ``left`` and ``right``, NumPy arrays that hold what ``dtype`` can.

    Raises:
        Wrong: further away than :func:`rounding` allows.
    """
    import numpy as np

    left, right = left.astype("float64"), right.astype("float64")
    most = rounding(dtype, device)
    deviation = float(np.max(np.abs(found.astype("float64") - left.dot(right)) / np.abs(left).dot(np.abs(right))))
    if not deviation <= most:
        text = "a product in {} deviates by {:.2g} from NumPy in float64; at most {:.2g} is rounding"
        raise Wrong(text.format(dtype, deviation, most))
    return "{} {:.1g} of {:.1g}".format(dtype, deviation, most)


class Convolution:
    """A 3×3 convolution, channels last, without padding: its inputs, and in NumPy its result and its gradient."""

    def __init__(self) -> None:
        self.images = whole_numbers((2, 8, 8, 3), 1)
        self.kernel = whole_numbers((3, 3, 3, 4), 2)
        self.weights = whole_numbers((2, 6, 6, 4), 3)
        """What each value of the result counts in the sum whose gradient by the kernel is asked for."""

    def _patches(self) -> Any:
        import numpy as np

        rows = [[self.images[:, i : i + 6, j : j + 6, :] for j in range(3)] for i in range(3)]
        return np.array(rows)  # kernel row, kernel column, image, row, column, channel

    def expected(self) -> Any:
        """The result of the convolution."""
        import numpy as np

        return np.einsum("ijbxyc,ijco->bxyo", self._patches(), self.kernel)

    def expected_gradient(self) -> Any:
        """The gradient of ``sum(result * weights)`` by the kernel."""
        import numpy as np

        return np.einsum("ijbxyc,bxyo->ijco", self._patches(), self.weights)

    def check(self, result: Any, gradient: Any, device: str) -> str:
        """Compare a result and a gradient, as NumPy arrays."""
        tolerance = TRANSFORMED if is_gpu(device) else EXACT
        return "{}; {}".format(
            compare("the result", result, self.expected(), tolerance),
            compare("the gradient", gradient, self.expected_gradient(), tolerance),
        )


class Recurrent:
    """An LSTM layer on two sequences of five steps: its input, and in NumPy its result and the slope along a direction.

    Hochreiter and Schmidhuber, Long Short-Term Memory, 1997, with a forget gate, in Keras's order of the gates.
    """

    UNITS = 4

    def __init__(self) -> None:
        self.sequences = fractions((2, 5, 3), 11)
        self.counts = whole_numbers((2, self.UNITS), 12)
        """What each value of the result counts in the sum whose gradient by the weights is asked for."""

    def weights(self) -> List[Any]:
        """The kernel, the recurrent kernel and the bias."""
        shapes = ((3, 4 * self.UNITS), (self.UNITS, 4 * self.UNITS), (4 * self.UNITS,))
        return [fractions(shape, 13 + number) for number, shape in enumerate(shapes)]

    def expected(self, weights: List[Any]) -> Any:
        """The state after the last step."""
        import numpy as np

        kernel, recurrent, bias = (each.astype("float64") for each in weights)
        state = carry = np.zeros((len(self.sequences), self.UNITS))
        for step in range(self.sequences.shape[1]):
            gates = np.split(self.sequences[:, step].astype("float64").dot(kernel) + state.dot(recurrent) + bias, 4, 1)
            let_in, forget, let_out = (1 / (1 + np.exp(-gates[place])) for place in (0, 1, 3))
            carry = forget * carry + let_in * np.tanh(gates[2])
            state = let_out * np.tanh(carry)
        return state

    def check(self, result: Any, gradients: List[Any], device: str) -> str:
        """Compare a result, and its gradients along one direction with a difference quotient, as NumPy arrays."""
        import numpy as np

        tolerance = TRANSFORMED if is_gpu(device) else RECURRENT
        weights, step = self.weights(), 1e-5
        told = compare("the result", result, self.expected(weights), tolerance)
        ways = [fractions(each.shape, 17 + number) for number, each in enumerate(weights)]
        ahead, back = (
            float(
                (
                    self.expected([w.astype("float64") + sign * step * way for w, way in zip(weights, ways)])
                    * self.counts
                ).sum()
            )
            for sign in (1, -1)
        )
        slope = sum(float((gradient * way).sum()) for gradient, way in zip(gradients, ways))
        wanted = (ahead - back) / (2 * step)
        return "{}; {}".format(told, compare("the gradient", np.array([slope]), np.array([wanted]), tolerance))
