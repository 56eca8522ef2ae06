"""Keras is on JAX here, as in the rooms that are tested."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")
