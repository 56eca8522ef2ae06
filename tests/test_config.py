"""Settings: all problems at once, each with its key and choices; file, environment, defaults."""

import re
from pathlib import Path

import pytest

from namewarden.config import ConfigError, load, reference, schema, to_toml
from namewarden.settings import Settings, shown_url, split_endpoint

ROOT = Path(__file__).parent.parent
ZONE = "[[zones]]\nnames = ['{}']\nservers = ['udp://192.0.2.1']\ngroups = ['{}']\n"


def problems(tmp_path, text, environ=None):
    path = tmp_path / "namewarden.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as error:
        load(path, environ or {})
    return error.value.problems


def test_every_problem_is_said_at_once_with_its_key_and_choices(tmp_path):
    text = """
    bogus = 1
    [dns]
    listn = []
    listen = ["here"]
    workers = 0
    [[lists]]
    name = "malware"
    source = "x"
    kind = "maybe"
    [[lists]]
    name = "no/slash"
    """
    said = "\n".join(problems(tmp_path, text))
    for part in (
        "bogus: unknown key (known here: block, cache, ",
        "dns.listn: unknown key (known here: allow, in_flight, listen, ",
        "dns.listen.0: 'here' is not ADDRESS:PORT such as 127.0.0.1:1053",
        "dns.workers: Input should be greater than or equal to 1 (got 0)",
        "lists.0.kind: Input should be 'deny' or 'allow' (got 'maybe')",
        "lists.1.source: is missing",
        "lists.1.name: ",
    ):
        assert part in said


def test_only_plain_lists_keep_what_was_dropped(tmp_path):
    text = "[[lists]]\nname = 'feed'\nsource = 'x'\nkeep = 7\n{}"
    said = problems(tmp_path, text.format(""))
    assert said == ["lists.0: keep: format must be hosts, domains or wildcard"]
    (tmp_path / "namewarden.toml").write_text(text.format("format = 'domains'"))
    assert load(tmp_path / "namewarden.toml", {}).lists[0].keep == 7


def test_names_must_fit_together(tmp_path):
    said = problems(tmp_path, '[[groups]]\nname = "kids"\nlists = ["ads"]\n')
    assert said[0].startswith(
        "groups.0.lists: group 'kids' names the list 'ads', which is not there (lists: none)"
    )


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("x = ", "is not TOML"),
        ("schema_version = 2", "schema_version: Input should be 1"),
        ('[block]\nmode = "ip"', "block: mode ip needs addresses"),
        ('[block]\nmode = "data"', "block: mode must be null"),
        ('[[groups]]\nname = "kids"\nblock = "tcp-only"', "group 'kids': mode must be null"),
        ('[[groups]]\nname = "kids"\nblock = "ip"', "group 'kids': mode ip needs addresses"),
        ('[[groups]]\nname = "kids"\n[[groups]]\nname = "kids"', "group 'kids' is there twice"),
        ('[[lists]]\nname = "guard"\nsource = "x"', "list 'guard' is our own"),
        ('[upstream]\nservers = ["8.8.8.8"]', "is not udp://ADDRESS:PORT"),
        (
            '[dns]\nlisten = ["127.0.0.1"]',
            "such as 127.0.0.1:1053 or [::1]:1053 (there is no port)",
        ),
        ('[dns]\nallow = ["10.0.0.0/33"]', "dns.allow.0"),
        ("[[zones]]\nservers = ['udp://192.0.2.1']", "zones.0.names: is missing"),
        ("[[zones]]\nnames = ['lan']", "zones.0.servers: is missing"),
        (ZONE.format("a..b", "x"), "zones.0.names.0: 'a..b' is no domain name"),
        (ZONE.format(".", "x"), "zones.0.names.0: '.' is no domain name"),
        (ZONE.format("192.168.1.0", "x"), "is no domain name such as corp.example.org"),
        (
            ZONE.format("lan", "kids"),
            "zone 'lan' names the group 'kids', which is not there (groups: default)",
        ),
        (ZONE.format("lan", "default") * 2, "zone 'lan' is there twice for the group 'default'"),
        (ZONE.format("lan', 'LAN.", "default"), "zone 'lan' is there twice"),
        (ZONE.format("x.localhost", "x"), "zones.0: names: localhost is this machine"),
        ("[local]\nresolve = ['a b']", "local.resolve.0: 'a b' is no domain name"),
    ],
)
def test_wrong_files_are_said_so(tmp_path, text, part):
    assert part in "\n".join(problems(tmp_path, text))


def test_one_fault_is_one_line(tmp_path):
    said = problems(tmp_path, "[[zones]]\nnames = ['lan']\nservers = ['192.0.2.1']\n")
    assert said == [
        "zones.0.servers.0: '192.0.2.1' is not udp://ADDRESS:PORT or tcp://ADDRESS:PORT"
    ]
    said = problems(tmp_path, "[[zones]]\nnames = ['lan']\nservers = []\n")
    assert said == ["zones.0.servers: must not be empty"]


def test_zones_may_have_the_same_name_for_different_groups(tmp_path):
    path = tmp_path / "namewarden.toml"
    both = ZONE.format("corp.Example.org.", "default") + ZONE.format("corp.example.org", "kids")
    path.write_text(both + '[[groups]]\nname = "kids"\n')
    settings = load(path, {})
    assert [zone.names for zone in settings.zones] == [("corp.example.org",)] * 2
    path.write_text(to_toml(settings))
    assert load(path, {}) == settings


def test_a_missing_file_is_said_so(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "nowhere.toml", {})


def test_the_environment_goes_over_the_file(tmp_path):
    path = tmp_path / "namewarden.toml"
    path.write_text('[model]\nmode = "off"\n[dns]\nworkers = 3\n')
    environ = {"NAMEWARDEN_MODEL__MODE": "shadow", "NAMEWARDEN_DATA_DIR": "/tmp/x", "HOME": "/"}
    settings = load(path, environ)
    assert (settings.model.mode, settings.dns.workers) == ("shadow", 3)
    assert settings.data_dir == Path("/tmp/x")
    said = problems(
        tmp_path, "", {"NAMEWARDEN_DNS__LISTN": "x", "NAMEWARDEN_SCHEMA_VERSION__X": "1"}
    )
    assert any("dns.listn: unknown key" in line for line in said)


def test_variables_of_other_purposes_are_no_settings(tmp_path):
    others = {
        "NAMEWARDEN_TOKEN": "nw_x",
        "NAMEWARDEN_PURE": "1",
        "NAMEWARDEN_FUZZ": "deep",
    }
    for file in ("Makefile", ".ci/run"):
        others |= dict.fromkeys(re.findall(r"NAMEWARDEN_[A-Z_]+", (ROOT / file).read_text()), "1")
    assert "NAMEWARDEN_REQUIRE_C" in others
    path = tmp_path / "namewarden.toml"
    path.write_text("")
    assert load(path, others) == Settings()


def test_problems_are_said_in_words_of_the_file_not_of_the_parser(tmp_path):
    text = """
    dns = 5
    lists = "x"
    [[groups]]
    clients = ["10.0.0.0/8"]
    [[groups]]
    name = "no/slash"
    """
    said = problems(tmp_path, text)
    assert "dns: must be a section of keys (got 5)" in said
    assert "lists: must be an array (got 'x')" in said
    assert "groups.0.name: is missing" in said
    assert any("letters, digits" in line for line in said)


def test_what_is_wrong_is_shown_once(tmp_path):
    assert problems(tmp_path, '[dns]\nlisten = ["127.0.0.1"]')[0].count("127.0.0.1'") == 1


def test_a_listener_is_needed_and_a_network_has_one_group(tmp_path):
    assert problems(tmp_path, "[dns]\nlisten = []") == ["dns: listen needs at least one address"]
    group = '[[groups]]\nname = "{}"\nclients = ["10.0.0.0/8"]\n'
    assert problems(tmp_path, group.format("a") + group.format("b")) == [
        "groups.1.clients: network '10.0.0.0/8' is there twice"
    ]


def test_what_does_not_fit_together_is_a_line_each_with_its_key(tmp_path):
    text = """
[[lists]]
name = "a"
source = "x"
[[lists]]
name = "a"
source = "y"
[[lists]]
name = "guard"
source = "z"
[[groups]]
name = "kids"
lists = ["b", "c"]
[[groups]]
name = "kids"
block = "ip"
[[zones]]
names = ["corp.example.org"]
servers = ["udp://192.0.2.1"]
groups = ["nobody"]
"""
    assert problems(tmp_path, text) == [
        "lists.1.name: list 'a' is there twice",
        "groups.1.name: group 'kids' is there twice",
        "lists.2.name: list 'guard' is our own: give yours another name",
        "groups.0.lists: group 'kids' names the list 'b', which is not there (lists: a, a, guard)",
        "groups.0.lists: group 'kids' names the list 'c', which is not there (lists: a, a, guard)",
        "groups.1.block: group 'kids': mode ip needs addresses",
        "zones.0.groups: zone 'corp.example.org' names the group 'nobody', which is not there "
        "(groups: default, kids)",
    ]


def test_what_is_shown_reads_back(tmp_path):
    path = tmp_path / "shown.toml"
    text = '[[lists]]\nname = "a"\nsource = "x \\" y"\n[[groups]]\nname = "kids"\nlists = ["a"]\n'
    path.write_text(text)
    first = load(path, {})
    path.write_text(to_toml(first))
    assert load(path, {}) == first != Settings()


def test_every_setting_is_described_and_the_page_is_fresh():
    page = reference()
    assert "| None |" not in page
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert all(row.endswith("|") for row in rows), "a row of a table is one line"
    assert (ROOT / "docs" / "settings.md").read_text() == page, (
        "run: python -m namewarden.config > docs/settings.md"
    )
    assert schema()["properties"]["dns"]


def test_endpoints():
    assert split_endpoint("[::1]:53") == ("::1", 53)
    for wrong in ("1.2.3.4", "host:53", "1.2.3.4:x", "1.2.3.4:70000"):
        with pytest.raises(ValueError):
            split_endpoint(wrong)


@pytest.mark.parametrize(
    "source",
    [
        "ftp://lists.example.org/x", "file:///etc/passwd", "https://", "https:///x", "http://lists.example.org:0/", "http://x:y/",
        "http://x y/", "http://x/\n", "http://[::1/", "http://lists.example.org/#part", "://x",
    ],
)  # fmt: skip
def test_a_source_that_is_neither_a_file_nor_a_url_is_refused(source):
    with pytest.raises(ValueError, match="is neither a file nor http"):
        Settings.model_validate({"lists": [{"name": "x", "source": source}]})


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://lists.example.org/x", "https://lists.example.org/x"),
        ("https://me@lists.example.org/x", "https://***@lists.example.org/x"),
        ("http://me:a@b@[::1]:8080/x@y?k=v?w", "http://***@[::1]:8080/x@y?***"),
    ],
)
def test_urls_are_shown_without_what_may_be_secret(url, shown):
    assert shown_url(url) == shown
    Settings.model_validate({"lists": [{"name": "x", "source": url}]})


def test_one_address_with_the_length_of_a_network_is_no_network(tmp_path):
    text = '[[groups]]\nname = "kids"\nclients = ["192.168.1.7/24", "192.168.1.7", "::ffff:192.0.2.0/120"]\n'
    (said,) = problems(tmp_path, text)
    assert said == (
        "groups.0.clients.0: '192.168.1.7/24' may mean two things: 192.168.1.7 is that address alone, "
        "192.168.1.0/24 the whole network"
    )
