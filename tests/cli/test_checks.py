"""What is wrong in a configuration or a list is said before anything runs by it."""

import json
import tomllib

import pytest

from namewarden.detector.model import PACKAGED
from tests.cli.saying import said
from tests.hub.subscriptions.web import gives, site


def test_wrong_records_and_missing_lists_are_found_before_a_start(tmp_path):
    path = tmp_path / "namewarden.toml"
    path.write_text('[local]\nrecords = ["nas.lan A", "nas.lan. 300 A 192.168.1.5"]\n')
    assert "local.records.0: 'nas.lan A' is not a record" in said("config", "check")
    path.write_text('[[lists]]\nname = "malware"\nsource = "gone.txt"\n')
    assert f"there is no file {tmp_path / 'gone.txt'} yet" in said("config", "check", status=0)


def test_a_model_that_cannot_be_used_is_found_before_a_start(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "namewarden.toml").write_text('[model]\npath = "empty"\n')
    assert "empty/manifest.json: No such file" in said("config", "check")
    (tmp_path / "namewarden.toml").write_text(f'[model]\npath = "{PACKAGED}"\n')
    assert "right: " in said("config", "check", status=0)


def test_what_holds_and_its_schema_can_be_read_by_machines(tmp_path):
    (tmp_path / "namewarden.toml").write_text('[model]\nmode = "shadow"\n')
    assert tomllib.loads(said("config", "show", status=0))["model"]["mode"] == "shadow"
    assert "model" in json.loads(said("config", "schema", status=0))["properties"]


def test_each_line_of_a_list_and_the_totals(tmp_path):
    (tmp_path / "list.txt").write_text("0.0.0.0 ads.example.net\nno name here\n")
    told = said("lists", "check", "list.txt", status=0)
    assert told.startswith("1: 0.0.0.0 ads.example.net  →  ")
    assert "2 lines, 1 became rules, 1 skipped" in told
    assert "ads.example.net" not in said("lists", "check", "list.txt", "--quiet", status=0)


def test_a_list_that_cannot_be_read_is_named(tmp_path):
    assert f"{tmp_path / 'gone'}: " in said("lists", "check", str(tmp_path / "gone"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[dns]\nlisten = ["127.0.0.1:5300", "127.0.0.1:5300"]', "5300 is listened on by dns.listen already"),
        ('[hub]\nlisten = "127.0.0.1:8052"', "hub.listen: 127.0.0.1:8052 is listened on by verdict.listen"),
        ('[upstream]\nservers = ["udp://127.0.0.1:1053"]', "is our own listening address"),
        ('[[zones]]\nnames = ["lan"]\nservers = ["udp://127.0.0.1:1053"]', "zones.0.servers: udp://127.0.0.1:1053 is"),
        ('[[zones]]\nnames = ["lan"]\nservers = ["192.0.2.1"]', "zones.0.servers.0: '192.0.2.1' is not udp://"),
        ('[local]\nresolve = ["example.org"]', "local.resolve: example.org is no special-use name"),
        ('[local]\nresolve = ["onion"]', "local.resolve: onion: names below onion are Tor's"),
        ('[upstream]\nservers = ["udp://192.0.2.1:53/x"]', "more than an address and a port"),
        ('data_dir = "namewarden.toml/var"', "is no folder"),
        ('data_dir = "dangling"', "dangling is no folder"),
        (f'data_dir = "/tmp/{"x" * 100}"', "verdict.sock is too long for a socket"),
        ('[dns]\nlisten = ["0.0.0.0:5300", "127.0.0.1:5300"]', "127.0.0.1:5300 is listened on by dns.listen"),
        ('[dns]\nlisten = ["[::1]:5300", "[0::1]:5300"]', "[0::1]:5300 is listened on by dns.listen"),
        ('[hub]\nlisten = "0.0.0.0:8052"', "hub.listen: 0.0.0.0:8052 is listened on by verdict.listen"),
        ('[dns]\nlisten = ["[::ffff:127.0.0.1]:53"]', "is IPv4 in IPv6 clothes: write 127.0.0.1:53"),
        ('[dns]\nlisten = ["192.0.2.77:5300"]', "dns.listen: this machine has no address 192.0.2.77"),
        ('[upstream]\nservers = ["udp://[fe80::1%nope]"]', "upstream.servers: udp://[fe80::1%nope] is at no interface"),
        ('[[lists]]\nname = "x"\nsource = "."', "is a folder, not a list"),
        ('[[lists]]\nname = "x"\nsource = "ftp://me:s3cret@x"', "is neither a file nor http(s)://HOST[:PORT]/PATH"),
        ('[[groups]]\nname = "kids"\nlists = ["gone"]', "names the list 'gone', which is not there"),
        ('[[groups]]\nname = "kids"\nservices = ["youtub"]', "groups.0.services: there is no 'youtub' (near: youtube"),
        ('[[groups]]\nname = "kids"\nsafe_search = ["x"]', "groups.0.safe_search: there is no 'x' (near: "),
    ],
)  # fmt: skip
def test_what_a_start_would_refuse_is_found_before_it(tmp_path, text, words):
    (tmp_path / "namewarden.toml").write_text(text)
    (tmp_path / "dangling").symlink_to(tmp_path / "gone")
    assert words in said("config", "check")
    assert {path.name for path in tmp_path.iterdir()} == {"namewarden.toml", "dangling"}


def test_what_may_be_a_password_is_not_shown(tmp_path):
    path = tmp_path / "namewarden.toml"
    path.write_text(
        '[[lists]]\nname = "x"\nsource = "https://me:s3cret@lists.example.org/x?key=s3cret"\n'
    )
    assert "right: " in said("config", "check", status=0)
    told = said("config", "show", status=0)
    assert 'source = "https://***@lists.example.org/x?***"' in told and "s3cret" not in told
    path.write_text('[[lists]]\nname = "x"\nsource = "https://me:s3cret@lists.example.org:x"\n')
    assert "s3cret" not in said("config", "check")


def test_a_list_may_be_looked_at_before_it_is_subscribed_to(tmp_path):
    with site({"/list": gives(b"bad.example.net\n"), "/page": gives(b"<html>")}) as server:
        told = said("lists", "check", server.url(), "--allow-private", status=0)
        assert "1: bad.example.net  →  " in told and "1 lines, 1 became rules" in told
        url = server.url("/page", user="me:s3cret@")
        told = said("lists", "check", url, "--allow-private")
        assert (
            "/page: cannot be downloaded: what came is a web page" in told and "s3cret" not in told
        )
        assert "is 127.0.0.1, an address of no public server" in said(
            "lists", "check", server.url()
        )
        (tmp_path / "namewarden.toml").write_text(
            f'[[lists]]\nname = "own"\nsource = "{server.url()}"\nallow_private = true\n'
        )
        assert "1 became rules" in said("lists", "check", server.url(), status=0)
        assert "its server is 127.0.0.1, an" in said("lists", "check", server.url("/page"))
    assert "is no http:// or https:// URL" in said("lists", "check", "ftp://lists.example.org/")


def test_a_byte_order_mark_is_no_error(tmp_path):
    (tmp_path / "namewarden.toml").write_text('\ufeff[model]\nmode = "off"\n')
    assert 'mode = "off"' in said("config", "show", status=0)


def test_the_original_plugins_form_is_for_this_machine_only(tmp_path):
    path = tmp_path / "namewarden.toml"
    path.write_text('[verdict]\noriginal = "192.0.2.1:5000"\n')
    told = said("config", "check")
    assert "verdict.original: '192.0.2.1:5000' is no loopback address" in told
    path.write_text('[verdict]\nlisten = "nowhere"\n')
    assert "verdict.listen: 'nowhere' is not ADDRESS:PORT" in said("config", "check")
    path.write_text('[verdict]\noriginal = "127.0.0.1:8050"\n')
    assert "hub.listen: 127.0.0.1:8050 is listened on by verdict.original" in said(
        "config", "check"
    )
