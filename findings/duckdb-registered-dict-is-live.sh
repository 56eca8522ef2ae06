#!/usr/bin/env bash
# A dict of NumPy arrays that was registered once is read again at every execute: other values, other lengths, a new
# column and even another type of a column are seen, without registering it again.
# Guess: the relation is bound when it is registered, so a changed dict is an error or the old values.
# Use: register once, then swap the arrays in place before each INSERT ... SELECT (registering costs over a millisecond);
# the other side of it: a dict must not be changed while a reader that scans it is open.
# Seen 2026-11-29: duckdb 2.0.0, numpy 2.4.6, Python 3.11:
#   before [(6, 3)]; values [(30, 2)]; new column [(10,)]; new type [('y', 'VARCHAR')]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install duckdb==2.0.0 numpy==2.4.6
cat >"$folder/try.py" <<'PYTHON'
import duckdb
import numpy as np

connection = duckdb.connect()
batch = {"a": np.array([1, 2, 3])}
connection.register("batch", batch)
before = connection.execute("SELECT sum(a)::INT, count(*) FROM batch").fetchall()
batch["a"] = np.array([10, 20])
values = connection.execute("SELECT sum(a)::INT, count(*) FROM batch").fetchall()
batch["b"] = np.array([5, 5])
column = connection.execute("SELECT sum(b)::INT FROM batch").fetchall()
batch["a"] = np.array(["x", "y"], dtype=object)
kind = connection.execute("SELECT max(a), max(typeof(a)) FROM batch").fetchall()
print(f"before {before}; values {values}; new column {column}; new type {kind}")
assert (before, values, column, kind) == ([(6, 3)], [(30, 2)], [(10,)], [("y", "VARCHAR")])
PYTHON
"$folder/venv/bin/python" "$folder/try.py"
