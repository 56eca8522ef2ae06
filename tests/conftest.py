"""Hypothesis profiles (fast, or NAMEWARDEN_FUZZ=deep for the long run), real servers, and what keeps a run short.

The servers are started once a session, and only when a test asks for them.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from namewarden.settings import Settings, split_endpoint
from tests import servers

settings.register_profile(
    "fast", max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("deep", max_examples=100_000, deadline=None)
settings.load_profile(os.environ.get("NAMEWARDEN_FUZZ", "fast"))

# What takes longest comes first, so that the workers of a run end together.
SLOW = (
    "test_coredns.py", "test_zones.py", "test_fronts.py", "test_subscriptions.py", "test_services.py",
    "training", "evaluation", "faults", "policy", "process", "bench", "cli", "hub",
)  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    """What XLA compiles is kept for the next run and for the other worker; of one kind of processor only."""
    assert config.cache
    kind = sha256(_processor().encode()).hexdigest()[:12]
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(config.cache.mkdir(f"jax-{kind}")))
    # A test takes some dozen steps: what XLA's optimizations would spare is a tenth of what they cost.
    os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")


def _processor() -> str:
    """What it can do, as the kernel tells it; "" where it does not."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line for line in lines if line.startswith(("flags", "Features"))), "")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Octets may hold a time stamp or a random id; workers must call a test by the same name."""
    return argname if isinstance(val, bytes) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _place(item.path.relative_to(Path(__file__).parent).parts[0]))


def _place(room: str) -> int:
    return SLOW.index(room) if room in SLOW else len(SLOW)


@pytest.fixture(scope="session", autouse=True)
def default_ports() -> Iterator[None]:
    """Taken while tests run, by us where nobody else has them: a product that runs beside is no reason to fail."""
    given = Settings()
    with ExitStack() as stack:
        for endpoint in (*given.dns.listen, given.verdict.listen, given.hub.listen):
            host, port = split_endpoint(endpoint)
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                with suppress(OSError):
                    stack.enter_context(socket.socket(family, kind)).bind((host, port))
        yield


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
