"""What is packed is unpacked within bounds; what is damaged says so."""

import gzip
import io
import zipfile
import zlib

import pytest

from namewarden.hub.subscriptions.errors import DownloadError
from namewarden.hub.subscriptions.unpack import PIECE, Gunzip, Sniffed, is_zip, layer_of, unzip

TEXT = b"bad.example.net\n" * 1000


def fed(layer, data, step=7):
    out = b"".join(
        piece for at in range(0, len(data), step) for piece in layer.feed(data[at : at + step])
    )
    layer.end()
    return out


@pytest.mark.parametrize("step", [1, 7, 100_000])
@pytest.mark.parametrize(
    ("layer", "data"),
    [
        (Gunzip, gzip.compress(TEXT)),
        (Gunzip, gzip.compress(TEXT[:32]) + gzip.compress(TEXT[32:])),
        (Gunzip, gzip.compress(TEXT) + b"\0" * 512),
        (Sniffed, gzip.compress(TEXT)),
        (Sniffed, TEXT),
    ],
)
def test_gzip_in_all_its_forms(layer, data, step):
    assert fed(layer(), data, step) == TEXT


@pytest.mark.parametrize(
    "data", [gzip.compress(TEXT)[:-1], gzip.compress(TEXT)[:50], gzip.compress(TEXT)[:-8] + bytes(8),
             b"\x1f\x8bnonsense", gzip.compress(TEXT) + b"more"]
)  # fmt: skip
def test_damaged_gzip_is_an_error(data):
    with pytest.raises(DownloadError):
        fed(Gunzip(), data)


def test_a_bomb_comes_in_pieces():
    bomb = zlib.compressobj(9, zlib.DEFLATED, 31)
    data = bomb.compress(bytes(20_000_000)) + bomb.flush()
    assert len(data) < 30_000
    pieces = Gunzip().feed(data)
    assert all(len(next(pieces)) <= PIECE for _ in range(50))


def test_encodings():
    assert fed(layer_of("gzip"), gzip.compress(TEXT)) == fed(layer_of(""), TEXT) == TEXT
    with pytest.raises(DownloadError, match="'br', which was not asked for"):
        layer_of("br")


def zipped(path, files, kind=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", kind) as made:
        for name, text in files.items():
            made.writestr(name, text)
    return path


def unzipped(path):
    out = io.BytesIO()
    unzip(path, out.write)
    return out.getvalue()


@pytest.mark.parametrize("kind", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_the_one_file_of_a_zip(tmp_path, kind):
    path = zipped(tmp_path / "z", {"folder/": b"", "folder/hosts": TEXT}, kind)
    assert is_zip(path) and unzipped(path) == TEXT


@pytest.mark.parametrize(
    ("files", "kind", "words"),
    [
        ({}, zipfile.ZIP_STORED, "0 files"),
        ({"a": TEXT, "b": TEXT}, zipfile.ZIP_STORED, "2 files"),
        ({"a": TEXT}, zipfile.ZIP_BZIP2, "rare way"),
        ({"a": TEXT}, zipfile.ZIP_LZMA, "rare way"),
        ({f"{number:020}": b"" for number in range(16_000)}, zipfile.ZIP_STORED, "damaged"),
    ],
)
def test_zips_that_are_not_taken(tmp_path, files, kind, words):
    path = zipped(tmp_path / "z", files, kind)
    assert is_zip(path)
    with pytest.raises(DownloadError, match=words):
        unzipped(path)


@pytest.mark.parametrize("cut", [4, 40, 100, -30, -1])
def test_a_damaged_zip_is_an_error(tmp_path, cut):
    path = zipped(tmp_path / "z", {"a": TEXT})
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(DownloadError):
        unzipped(path)


def test_a_zip_whose_octets_are_not_as_they_were_is_an_error(tmp_path):
    path = zipped(tmp_path / "z", {"a": TEXT}, zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"bad", b"bid", 1))
    with pytest.raises(DownloadError):
        unzipped(path)
