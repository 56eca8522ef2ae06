"""A store's language is its own: nobody else asks in it, and only the hub loads DuckDB."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_architecture import SOURCES, SRC, imports_of

SQL = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|CREATE TABLE|ATTACH|DETACH|PRAGMA)\b.* ")
HOMES = {"duckdb": "events/duckdb/", "sqlite3": "hub/control.py"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(SRC)))
def test_sql_stays_in_the_stores(path: Path) -> None:
    place = path.relative_to(SRC).as_posix()
    for module, home in HOMES.items():
        assert place.startswith(home) or module not in imports_of(path), f"{module} in {place}"
    if not place.startswith(tuple(HOMES.values())):
        for node in ast.walk(ast.parse(path.read_text())):
            text = node.value if isinstance(node, ast.Constant) else None
            assert not (isinstance(text, str) and SQL.search(text)), f"{place}: {text!r}"


@pytest.mark.parametrize("module", ["process.resolver", "process.app", "cli"])
def test_only_the_hub_loads_duckdb(module: str) -> None:
    code = f"import sys, namewarden.{module}; sys.exit('duckdb' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
