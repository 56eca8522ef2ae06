"""What a reload takes, what it keeps, and what it says."""

import pytest

from namewarden.cli.checks import problems as problems_of
from namewarden.process.reload import AT_START, Reloader, keep, value
from namewarden.settings import Settings


def reloader(path, problems=lambda settings: []):
    told, taken = [], []

    def children(settings):
        taken.append(settings)
        return []

    return Reloader(Settings(), path, children, problems, told.append), told, taken


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('data_dir = "elsewhere"', "data_dir"),
        ('[dns]\nlisten = ["127.0.0.1:9"]', "dns.listen"),
        ("[dns]\nworkers = 3", "dns.workers"),
        ('[verdict]\nlisten = "127.0.0.1:9"', "verdict.listen"),
        ('[verdict]\noriginal = "127.0.0.1:9"', "verdict.original"),
        ('[hub]\nlisten = "127.0.0.1:9"', "hub.listen"),
    ],
)
def test_what_needs_a_restart_is_named_and_kept(tmp_path, text, key):
    path = tmp_path / "namewarden.toml"
    path.write_text(text)
    other, told, taken = reloader(path)
    other.take()
    assert told == [f"{key} needs a restart, it stays as it was"] and key in AT_START
    assert taken == [Settings()]


def test_the_rest_is_taken():
    wanted = Settings.model_validate(
        {"dns": {"workers": 2, "udp_payload": 1400}, "block": {"ttl": 7}}
    )
    taken = keep(Settings(), wanted)
    assert (taken.dns.workers, taken.dns.udp_payload, taken.block.ttl) == (1, 1400, 7)
    assert value(taken, "block.ttl") == 7


def test_every_problem_is_told_and_nothing_is_taken(tmp_path):
    path = tmp_path / "namewarden.toml"
    path.write_text('[model]\nmode = "odd"\n[block]\nttl = -1\n')
    other, told, taken = reloader(path)
    assert other.check() == 1 and other.take() == () and taken == []
    assert len(told) == 2 and "model.mode" in told[0] and "block.ttl" in told[0]


def test_what_is_wrong_beyond_the_file_is_told_too(tmp_path):
    path = tmp_path / "namewarden.toml"
    path.write_text("")
    assert reloader(path)[0].check() == 0
    other, told, _ = reloader(path, lambda settings: ["model.path: is no model"])
    assert other.check() == 1 and "model.path: is no model" in told[0]


@pytest.mark.parametrize("address", [Settings().dns.listen[0], "127.0.0.1:9"])
def test_an_upstream_that_is_our_own_listener_is_refused_before_and_after_a_restart(
    tmp_path, address
):
    """The listeners stay until then: the address may be theirs, or of those that are wanted."""
    path = tmp_path / "namewarden.toml"
    path.write_text(
        f'data_dir = "{tmp_path}"\n[dns]\nlisten = ["127.0.0.1:9"]\n'
        f'[upstream]\nservers = ["udp://{address}"]\n'
    )
    other, told, _ = reloader(path, problems_of)
    assert other.check() == 1
    assert len(told) == 1 and f"{address} is our own listening address" in told[0]
