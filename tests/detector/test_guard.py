"""The guard list: what is in it, and how far a name in it reaches."""

import pytest

from namewarden.detector.guard import guarded, names, write
from namewarden.detector.label import Labels, dynamic_providers

LISTED = {
    "example.org.",
    "netlify.app.",
    "ddns.net.",
    "known.ddns.net.",
    "www.shop.example.net.",
}
RULE = guarded(LISTED.__contains__, Labels(dynamic_providers()))


@pytest.mark.parametrize(
    ("name", "holds"),
    [
        ("example.org.", True),
        ("a.b.example.org.", True),
        ("notexample.org.", False),
        ("www.shop.example.net.", True),  # an exact host guards itself alone
        ("shop.example.net.", False),
        ("qxkzvbt.gov.", True),  # a restricted suffix
        ("www.qxkzvbt.gov.", True),
        ("qxkzvbt.gov.br.", True),
        ("qxkzvbt.gouv.fr.", True),
        ("qxkzvbt.edu.", True),
        ("qxkzvbt.gov.example.org.", True),  # for example.org
        ("qxkzvbt.com.br.", False),
        ("gov.qxkzvbt.net.", False),
        ("netlify.app.", True),
        ("d111abcdef8.netlify.app.", False),  # strangers live below it
        ("qxkz7.ddns.net.", False),
        ("known.ddns.net.", True),
        ("www.known.ddns.net.", False),
        ("org.", False),
        ("", False),
    ],
)
def test_exact_host_or_registrable_domain(name, holds):
    assert RULE(name) is holds


def test_the_list_holds_host_names_only():
    found = names()
    assert {"google.com", "wikipedia.org", "ox.ac.uk"} <= set(found)
    assert 30_000 < len(found) < 80_000
    assert found == sorted(set(found))
    assert not [name for name in found if " " in name or "/" in name or not name.isascii()]


def test_written_whole(tmp_path):
    path = tmp_path / "guard.txt"
    count = write(path)
    lines = path.read_text().splitlines()
    assert lines[0].startswith("#") and len(lines) == count + 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["guard.txt"]
