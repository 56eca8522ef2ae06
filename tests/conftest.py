"""Hypothesis profiles (fast by default, NAMEWARDEN_FUZZ=deep for the long run) and real servers.

The servers are started once a session, and only when a test asks for them.
"""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests import servers

settings.register_profile(
    "fast", max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("deep", max_examples=100_000, deadline=None)
settings.load_profile(os.environ.get("NAMEWARDEN_FUZZ", "fast"))


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    """NSD with every name there is (see `servers.WORLD`)."""
    with servers.nsd(tmp_path_factory.mktemp("nsd")) as server:
        yield server


@pytest.fixture(scope="session")
def resolver(
    world: servers.Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[servers.Server]:
    """Unbound in front of that world."""
    with servers.unbound(tmp_path_factory.mktemp("unbound"), world) as server:
        yield server
