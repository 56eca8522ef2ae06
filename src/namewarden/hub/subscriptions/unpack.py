"""What a server sent, opened within bounds: gzip as it comes in, a zip file when it is whole.

A kilobyte of either can say a gigabyte, so it is unpacked a piece at a time. Counterpart: `fetch.py`.
"""

import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from namewarden.hub.subscriptions.errors import DownloadError

PIECE = 1 << 17  # octets at a time
GZIP, ZIP = b"\x1f\x8b", (b"PK\x03\x04", b"PK\x05\x06")
DIRECTORY = 1 << 20  # octets of a zip's directory
# With others Python unpacks each read whole, whatever it was asked for.
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 1


class Layer(Protocol):
    """Octets in, octets out, in pieces."""

    def feed(self, data: bytes) -> Iterator[bytes]: ...
    def end(self) -> None:
        """DownloadError when the end is missing."""


class Plain:
    """As it is."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        yield data

    def end(self) -> None:
        pass


class Gunzip:
    """One gzip stream, or several joined (RFC 1952 §2.2)."""

    def __init__(self) -> None:
        self._open = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self._is_between = False  # after a whole stream

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self._is_between:
                data = data.lstrip(b"\0")  # padding, as of tapes
                if not data:
                    return
                self._open, self._is_between = zlib.decompressobj(zlib.MAX_WBITS | 16), False
            try:
                piece = self._open.decompress(data, PIECE)
            except zlib.error as problem:
                raise DownloadError("what came is no gzip, or damaged") from problem
            self._is_between = self._open.eof
            data = self._open.unused_data if self._open.eof else self._open.unconsumed_tail
            if piece:
                yield piece

    def end(self) -> None:
        if not self._is_between:
            raise DownloadError("what came ends in the middle of its gzip")


class Sniffed:
    """A file that may be gzip by itself: its first two octets say so."""

    def __init__(self) -> None:
        self._head = b""
        self._inner: Layer | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._inner is None:
            self._head += data
            if len(self._head) < len(GZIP):
                return
            self._inner, data = Gunzip() if self._head.startswith(GZIP) else Plain(), self._head
        yield from self._inner.feed(data)

    def end(self) -> None:
        if self._inner is not None:
            self._inner.end()


def layer_of(encoding: str) -> Layer:
    """For a Content-Encoding. DownloadError."""
    if encoding in ("", "identity"):
        return Plain()
    if encoding in ("gzip", "x-gzip"):
        return Gunzip()
    raise DownloadError(f"the server sends it as {encoding[:20]!r}, which was not asked for")


def is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in ZIP


class _Bounded(io.FileIO):
    """A zip's directory is read in one piece, however large it says it is."""

    def read(self, size: int | None = -1) -> bytes:
        wanted = DIRECTORY + 1 if size is None or size < 0 else size
        found = super().read(min(wanted, DIRECTORY + 1)) or b""
        if len(found) > DIRECTORY:
            raise zipfile.BadZipFile("its directory is too large")
        return found


def unzip(path: Path, write: Callable[[bytes], object]) -> None:
    """The one file of a zip, a piece at a time. DownloadError: several, none, encrypted, damaged."""
    try:
        with _Bounded(path) as file, zipfile.ZipFile(file) as found:
            with found.open(_only(found)) as opened:
                while piece := opened.read(PIECE):
                    write(piece)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as problem:
        raise DownloadError("what came is a damaged zip") from problem


def _only(found: zipfile.ZipFile) -> zipfile.ZipInfo:
    files = [each for each in found.infolist() if not each.is_dir()]
    if len(files) != 1:
        raise DownloadError(f"what came is a zip of {len(files)} files, not of one")
    if files[0].flag_bits & _ENCRYPTED or files[0].compress_type not in METHODS:
        raise DownloadError("what came is a zip with a password, or packed in a rare way")
    return files[0]
