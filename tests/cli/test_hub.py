"""What is asked of the hub: what is refused before it is asked, and what is said where none runs. The commands against
a running one are in `tests/test_end_to_end.py`."""

import pytest
import typer

from namewarden.cli.hub import asking
from namewarden.hub.client import HubError
from tests.cli.saying import said


@pytest.mark.parametrize(
    "args",
    [
        ("query",), ("allow", "example.org"), ("deny", "example.org"), ("undo", "example.org"), ("decisions",),
        ("pause",), ("resume",), ("lists", "refresh"),
    ],
)  # fmt: skip
def test_asking_where_no_hub_runs_says_what_to_do(args):
    assert "name its configuration with --config" in said(*args)


def test_what_the_api_calls_expires_in_has_another_name_here(capsys):
    with pytest.raises(typer.Exit), asking(None, "http://127.0.0.1:1", ""):
        raise HubError("expires_in: '3' is not a duration such as 90s")
    assert capsys.readouterr().err == "'3' is not a duration such as 90s\n"


@pytest.mark.parametrize(
    ("command", "words"), [("allow", "Let a name pass"), ("deny", "Block a name")]
)
def test_allow_and_deny_take_the_same(command, words):
    told = said(command, "--help", status=0)
    assert words in told
    assert all(option in told for option in ("--for", "--reason", "--below", "--url", "--token"))


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--action", "blocked"), "'review', 'block'"),
        (("--client", "192.0.2.0/40"), "'192.0.2.0/40' does not appear to be"),
        (("--reason", "bad luck"), "'rule_allow'"),
        (("--client", "nobody"), "'nobody' does not appear to be"),
    ],
)
def test_a_filter_that_nothing_can_be_like_is_refused(args, words):
    assert words in " ".join(said("query", *args, status=2).replace("│", "").split())


@pytest.mark.parametrize("command", ["allow", "deny"])
@pytest.mark.parametrize("name", ["-", "--", ".", "*"])
def test_what_is_no_name_is_refused(command, name):
    assert "is no domain name" in said(command, "--", name, status=2)


def test_blocking_what_many_use_must_be_meant():
    told = said("deny", "com", "--below", status=2)
    assert "of the 10,000 most popular names, such as" in " ".join(told.split())
    assert "--yes" in told
    assert "name its configuration" in said("deny", "com", "--below", "--yes")
    assert "name its configuration" in said("deny", "zip", "--below")
    assert "name its configuration" in said("deny", "com")
    assert "name its configuration" in said("allow", "com", "--below")
