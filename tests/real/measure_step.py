"""Runs in a real environment: what TensorFlow's own CPU allocator gives during training steps of a model.

``python measure_step.py FILE OBJECT BATCH LOSS``. Standard output ends with the peak of each of two steps, variables included,
as the allocator (BFC) counts it: with the room that it loses between tensors. Standard error is TensorFlow's log of every
allocation and its end, with the bytes that were asked for; ``STEP`` stands where the two steps begin.
"""

import importlib.util
import json
import os
import sys

os.environ["TF_CPU_ALLOCATOR_USE_BFC"] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "0"
os.environ["TF_CPP_VMODULE"] = "log_memory=2"

import numpy as np
import tensorflow as tf

file, name, batch = sys.argv[1], sys.argv[2], int(sys.argv[3])
spec = importlib.util.spec_from_file_location("measured", file)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
model = module
for part in name.split("."):
    model = getattr(model, part)
if not isinstance(model, tf.keras.Model):
    model = model()
if getattr(model, "optimizer", None) is None:
    model.compile("adam", sys.argv[4])
(given,), (made,) = model.inputs, model.outputs
x = np.random.rand(batch, *given.shape[1:]).astype("float32")
if "int" in str(given.dtype):
    x = np.random.randint(0, 5000, x.shape).astype("int32")
y = np.random.rand(batch, *made.shape[1:]).astype("float32")
if "sparse" in sys.argv[4]:
    y = np.random.randint(0, made.shape[-1], (batch,))
model.train_on_batch(x, y)
model.train_on_batch(x, y)
os.write(2, b"\nSTEP\n")
peaks = []
for _ in range(2):
    tf.config.experimental.reset_memory_stats("CPU:0")
    model.train_on_batch(x, y)
    peaks.append(tf.config.experimental.get_memory_info("CPU:0")["peak"])
sys.stdout.write(json.dumps(peaks))
