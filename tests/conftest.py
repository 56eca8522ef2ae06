"""Hypothesis profiles: fast by default, NAMEWARDEN_FUZZ=deep for the long run."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "fast", max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("deep", max_examples=100_000, deadline=None)
settings.load_profile(os.environ.get("NAMEWARDEN_FUZZ", "fast"))
