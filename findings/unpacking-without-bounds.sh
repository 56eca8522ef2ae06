#!/usr/bin/env bash
# Reading a little of what is packed does not bound what is unpacked. `zipfile` gives the 1,000 octets asked for, but for
# bzip2 and LZMA it unpacks all that the next 4 KiB of the file hold first: 213 octets of zip took 200 MB. httpx hands out
# one piece of a gzip body for each piece that came, however much that is, and takes a gzip that was cut off for a whole one.
# Guess: `read(1000)` needs about 1,000 octets; a body that ends in mid-stream is an error, as one shorter than its
# Content-Length is.
# Use: of zips take stored and deflated members only; unpack gzip with `zlib.decompressobj` and `max_length`, and look at
# its `eof` at the end.
# Seen 2026-11-29: Python 3.11.7, httpx 0.28.1:
#   zip: deflated 0 MB, bzip2 214 MB, LZMA 67 MB; httpx: piece of 50000000, cut gzip 10595 octets, no error
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install httpx==0.28.1
cat >"$folder/try.py" <<'PYTHON'
import gzip
import io
import tracemalloc
import zipfile

import httpx

KINDS = {"deflated": zipfile.ZIP_DEFLATED, "bzip2": zipfile.ZIP_BZIP2, "LZMA": zipfile.ZIP_LZMA}


def peak(kind):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", kind) as made:
        made.writestr("a", bytes(100_000_000))
    tracemalloc.start()
    with zipfile.ZipFile(packed).open("a") as file:
        assert len(file.read(1000)) == 1000
    most = tracemalloc.get_traced_memory()[1] // 1_000_000
    tracemalloc.stop()
    return most


def answer(body):
    return httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(body))


peaks = {name: peak(kind) for name, kind in KINDS.items()}
pieces = [len(piece) for piece in answer(gzip.compress(bytes(50_000_000))).iter_bytes()]
text = b"bad.example.net\n" * 1000
whole = answer(gzip.compress(text)[:-20]).read()
told = ", ".join(f"{name} {most} MB" for name, most in peaks.items())
print(f"zip: {told}; httpx: piece of {max(pieces)}, cut gzip {len(whole)} octets, no error")
assert peaks["deflated"] < 2 and peaks["bzip2"] > 90 and peaks["LZMA"] > 50, "zipfile is other now"
assert max(pieces) == 50_000_000 and len(whole) < len(text), "httpx is other now"
PYTHON
"$folder/venv/bin/python" "$folder/try.py"
