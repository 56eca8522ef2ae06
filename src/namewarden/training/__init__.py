"""What models are made of and learn from. Keras and JAX are here only, and in `lab/`."""

import os

# Keras decides on its first import; every module of ours that imports it is in this room or comes through it.
os.environ.setdefault("KERAS_BACKEND", "jax")
