#!/usr/bin/env bash
# One wrong bit in the size that stands before an entry of DuckDB's write-ahead log loses that transaction and all later
# ones, committed and written, without an error; opening and closing the file then removes the log, so they are gone for
# good. A wrong bit in the entry's checksum or in what it holds is an error, and loses nothing.
# Guess: a log that ends in mid-entry is told from a size that cannot be true, or at least said, since whole entries
# that fit their checksums follow.
# Use: copy a database together with its log before a machine with doubtful disk or memory opens it; keep logs short
# (checkpoint often); do not take "it opens" for "all is there".
# Seen 2026-11-29: duckdb 2.0.0, Python 3.11:
#   whole 500; size 200, log left: False; checksum Error; content Error
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install duckdb==2.0.0
cat >"$folder/try.py" <<'PYTHON'
import shutil
import sys
from pathlib import Path

import duckdb

folder = Path(sys.argv[1])
made, log = folder / "made.db", folder / "made.db.wal"
connection = duckdb.connect(str(made))
connection.execute("PRAGMA disable_checkpoint_on_shutdown")
connection.execute("CREATE TABLE t (a INT)")
connection.execute("CHECKPOINT")
ends = []
for _ in range(5):
    connection.execute("INSERT INTO t SELECT range FROM range(100)")
    ends.append(log.stat().st_size)
connection.close()
third = ends[1]  # where the third transaction begins: size, checksum, content


def opened(at=None):
    """Rows that are there, and whether the log still is; or the kind of error."""
    octets = bytearray(log.read_bytes())
    if at is not None:
        octets[at] ^= 0x40
    copy = folder / "copy.db"
    shutil.copy(made, copy)
    Path(f"{copy}.wal").write_bytes(octets)
    try:
        with duckdb.connect(str(copy)) as connection:
            rows = connection.execute("SELECT count(*) FROM t").fetchone()[0]
    except duckdb.Error as error:
        return type(error).__name__
    return rows, Path(f"{copy}.wal").exists()


whole, size, checksum, content = opened(), opened(third + 3), opened(third + 9), opened(third + 20)
print(f"whole {whole[0]}; size {size[0]}, log left: {size[1]}; checksum {checksum}; content {content}")
assert (whole[0], size, checksum, content) == (500, (200, False), "Error", "Error")
PYTHON
"$folder/venv/bin/python" "$folder/try.py" "$folder"
