"""Sockets: bound once, refused with what to do."""

import socket
import stat

import pytest

from namewarden.process.paths import prepare
from namewarden.process.sockets import BindError, Sockets, bind, bind_unix
from namewarden.settings import Settings


def test_an_address_in_use_is_said_with_what_to_do():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(BindError, match=f"127.0.0.1:{port}.*another server"):
            bind(f"127.0.0.1:{port}", socket.SOCK_DGRAM)


def test_an_address_of_another_machine_is_said_so():
    with pytest.raises(BindError, match=r"192\.0\.2\.1:0 \(dns\.listen\).*no such address"):
        bind("192.0.2.1:0", socket.SOCK_DGRAM)


def test_a_unix_socket_is_private_and_replaces_what_was_left(tmp_path):
    path = tmp_path / "listener.sock"
    for _ in range(2):
        bind_unix(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    alive = bind_unix(path)
    with pytest.raises(BindError, match="another Namewarden listens there"):
        bind_unix(path)
    alive.close()
    with pytest.raises(BindError, match="107 octets"):
        bind_unix(tmp_path / ("x" * 120))


def test_every_worker_has_its_own_dns_sockets_and_shares_the_rest(tmp_path):
    settings = Settings.model_validate(
        {
            "data_dir": tmp_path,
            "dns": {"listen": ["127.0.0.1:0", "[::1]:0"], "workers": 2},
            "hub": {"listen": "127.0.0.1:0"},
            "verdict": {"listen": "127.0.0.1:0", "original": "127.0.0.1:0"},
        }
    )
    sockets = Sockets(settings, prepare(tmp_path))
    try:
        one, two = sockets.of_resolver(0), sockets.of_resolver(1)
        assert len(one["udp"]) == len(one["tcp"]) == 2
        assert not {*one["udp"], *one["tcp"]} & {*two["udp"], *two["tcp"]}
        assert one["verdict_original"] == two["verdict_original"] != []
        assert one["verdict"] == two["verdict"] and len(sockets.of_hub()["tcp"]) == 1
    finally:
        sockets.close()


def test_what_was_bound_is_given_back_when_the_rest_cannot_be(tmp_path):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = Settings.model_validate(
            {
                "dns": {"listen": ["127.0.0.1:0"]},
                "verdict": {"listen": "127.0.0.1:0"},
                "hub": {"listen": f"127.0.0.1:{port}"},
            }
        )
        with pytest.raises(BindError, match=r"\(hub.listen\).*another server is there"):
            Sockets(settings, prepare(tmp_path))
