"""The arrows of the house: who may import whom (the table of ARCHITECTURE.md), and what pure rooms may not touch."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

SRC = Path(__file__).parent.parent / "src" / "namewarden"
SOURCES = sorted(SRC.rglob("*.py"))
LEAVES = {"query", "settings", "config", "native", "shares"}
MAY_IMPORT: dict[str, set[str]] = {
    "__init__": set(),
    "__main__": {"cli"},
    "query": set(),
    "settings": {"query"},
    "config": {"query", "settings"},
    "native": set(),
    "shares": set(),
    "wire": LEAVES,
    "policy": LEAVES,
    "detector": LEAVES | {"dga"},
    "dga": LEAVES,
    "context": LEAVES,
    "events": LEAVES,
    "net": LEAVES | {"wire"},
    "sensor": LEAVES | {"wire"},
    "stages": LEAVES | {"wire", "policy", "detector", "context", "events"},
    "chain": LEAVES | {"stages"},
    "hub": LEAVES | {"policy", "detector", "events"},
    "training": LEAVES | {"policy", "detector", "dga"},
    "evaluation": LEAVES | {"detector", "training"},
    "lab": LEAVES | {"policy", "detector", "dga"},
    "enforcement": LEAVES | {"events"},
    "honeypot": LEAVES | {"events", "wire"},
    "health": LEAVES,
    "harness": LEAVES,
    "process": set(),
    "process/paths": set(),
    "process/channel": set(),
    "process/fork": set(),
    "process/slot": {"process/channel"},
    "process/replace": {"process/fork", "process/slot"},
    "process/supervise": {
        "process/channel",
        "process/fork",
        "process/replace",
        "process/slot",
    },
    "process/sockets": LEAVES | {"process/paths"},
    "process/lifetime": LEAVES
    | {"process/channel", "process/paths", "process/sockets", "process/terminal"},
    "process/notices": set(),
    "process/terminal": set(),
    "process/watcher": {"policy", "process/notices"},
    "process/generation": LEAVES | {"policy", "detector"},
    "process/upstreams": LEAVES | {"net", "process/paths"},
    "process/lookup": LEAVES | {"net", "stages", "wire", "process/upstreams"},
    "process/pipeline": {"*"},
    "process/resolver": {"*"},
    "process/explain": {"*"},
    "process/publishing": LEAVES | {"policy", "detector", "hub", "process/paths"},
    "process/api": {"*"},
    "process/hub": {"*"},
    "process/load": {"*"},
    "process/reload": LEAVES | {"process/slot"},
    "process/app": LEAVES
    | {
        "process/channel",
        "process/slot",
        "process/paths",
        "process/reload",
        "process/replace",
        "process/sockets",
        "process/supervise",
    },
    "cli": {"*"},
}
PURE = {"query", "wire", "policy", "context", "dga"}
IMPURE_MODULES = {
    "asyncio",
    "socket",
    "ssl",
    "time",
    "random",
    "threading",
    "sqlite3",
    "subprocess",
}
# Policy reads and writes its files itself; nobody else among the pure rooms touches the disk.
MAY_TOUCH_DISK = {"policy"}
# One query, datagram, connection, batch, sink or child that fails there must not end the rest.
MAY_CATCH_ALL = {
    "stages/guard.py",
    "net/connection.py",
    "net/deadlines.py",  # one exchange whose deadline cannot be handled must not end all timeouts
    "net/eager.py",
    "net/udp.py",
    "detector/batcher.py",
    "hub/ingest.py",
    "hub/subscriptions/follow.py",  # a bug met at one download must not end the hub
    "events/sender.py",  # events that cannot be written are counted; the process goes on
    "process/fork.py",  # a child that fails says so and ends: it must not go on as its parent
}
TRAINING_ONLY = {"keras", "jax", "jax2onnx", "onnx", "sklearn", "tensorflow", "torch"}


# What a query passes is stepped by net/eager.py, not by a task: these need one, or make one for what waits.
STEPPED = {"chain", "query", "wire", "policy", "detector", "context", "stages", "net"}
IN_TASKS = {
    "net/http.py",
    "net/original.py",
    "net/verdicts.py",
}  # connections are tasks; the chain runs within them
NEEDS_A_TASK = {"timeout", "timeout_at", "wait_for", "current_task", "TaskGroup"}


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: absolute imports only"
            found.add(node.module or "")
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def room_of(parts: list[str]) -> str:
    """A package is one room; in `process/` each module is, for it holds the composition roots."""
    inner = parts[0] == "process" and parts[1:] not in ([], ["__init__"])
    return "/".join(parts[: 2 if inner else 1])


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(SRC)))
def test_imports_point_one_way(path: Path) -> None:
    room = room_of(list(path.relative_to(SRC).with_suffix("").parts))
    allowed = MAY_IMPORT[room]
    for name in imports_of(path):
        top, _, rest = name.partition(".")
        if top == "namewarden" and rest and "*" not in allowed:
            assert room_of(rest.split(".")) in allowed | {room}, f"{room} may not import {name}"
        if room in PURE:
            assert top not in IMPURE_MODULES, f"{room} is pure: no {top}"
            assert top not in {"os", "mmap"} or room in MAY_TOUCH_DISK, f"{room} is pure: no {top}"
        if top in TRAINING_ONLY:
            assert room in {"training", "lab"}, f"{top} belongs to training and lab, not {room}"


def module_of(path: Path) -> str:
    parts = path.relative_to(SRC.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Imports below `TYPE_CHECKING` count too; CycleError names the circle."""
    modules = {module_of(path): path for path in SOURCES}
    TopologicalSorter(
        {name: imports_of(path) & modules.keys() - {name} for name, path in modules.items()}
    ).prepare()


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(SRC)))
def test_what_a_query_passes_needs_no_task(path: Path) -> None:
    relative = path.relative_to(SRC)
    if relative.with_suffix("").parts[0] not in STEPPED or relative.as_posix() in IN_TASKS:
        return
    used = tasks_needed(path.read_text())
    assert not used, f"{relative}: {used} asks for a task; use a future and a timer"


def tasks_needed(text: str) -> set[str]:
    """Names of `asyncio` in use that need a task, however they were imported."""
    nodes = list(ast.walk(ast.parse(text)))
    modules, used = {"asyncio"}, set()
    for node in nodes:
        if isinstance(node, ast.Import):
            modules |= {
                alias.asname for alias in node.names if alias.name == "asyncio" and alias.asname
            }
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("asyncio"):
            used |= {alias.name for alias in node.names}
            modules |= {alias.asname or alias.name for alias in node.names}
    used |= {
        node.attr
        for node in nodes
        if isinstance(node, ast.Attribute) and ast.unparse(node.value).split(".")[0] in modules
    }
    return used & NEEDS_A_TASK


@pytest.mark.parametrize(
    "text",
    [
        "import asyncio\nasyncio.timeout(1)",
        "import asyncio as aio\naio.tasks.current_task()",
        "from asyncio import wait_for",
        "from asyncio.timeouts import timeout as within",
    ],
)
def test_a_need_of_a_task_is_found_however_it_is_imported(text: str) -> None:
    assert tasks_needed(text)


def test_errors_are_caught_by_their_type() -> None:
    found = {str(path.relative_to(SRC)) for path in SOURCES if catches_all(path)}
    assert found == MAY_CATCH_ALL


def catches_all(path: Path) -> bool:
    """Whether any error at all is caught somewhere and not raised again."""
    handlers = [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ExceptHandler)
    ]
    return any(
        {
            name.id
            for name in ast.walk(handler.type or ast.Name("Exception"))
            if isinstance(name, ast.Name)
        }
        & {"Exception", "BaseException"}
        and not any(isinstance(node, ast.Raise) for node in ast.walk(handler))
        for handler in handlers
    )
