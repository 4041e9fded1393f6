"""Runs in a real environment: the peak of TensorFlow's own CPU allocator during one training step of a model.

``python measure_step.py FILE OBJECT BATCH LOSS``; prints the bytes in use before the step, and its peak. The BFC allocator
counts every tensor of TensorFlow, variables included, and nothing of Python or of the libraries.
"""

import importlib.util
import json
import os
import sys

os.environ["TF_CPU_ALLOCATOR_USE_BFC"] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

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
tf.config.experimental.reset_memory_stats("CPU:0")
before = tf.config.experimental.get_memory_info("CPU:0")["current"]
model.train_on_batch(x, y)
sys.stdout.write(json.dumps({"before": before, "peak": tf.config.experimental.get_memory_info("CPU:0")["peak"]}))
