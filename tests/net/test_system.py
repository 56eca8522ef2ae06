"""The system's resolvers are read from a file that may hold anything."""

import socket

import pytest

from namewarden.net.system import system_servers, without_ourselves

CONF = b"""
# nameserver 192.0.2.9
domain example.org
nameserver 192.0.2.1
  nameserver 2001:db8::1 # a comment
nameserver fe80::1%eth0
nameserver
nameserver not-an-address
nameserver 192.0.2.1
nameserver 0.0.0.0
NAMESERVER 192.0.2.77
options edns0
\xff\xfe nameserver 192.0.2.78
"""


def test_nameserver_lines_are_taken_and_odd_ones_passed_over(tmp_path):
    path = tmp_path / "resolv.conf"
    path.write_bytes(CONF)
    assert system_servers(path) == [
        "udp://192.0.2.1:53",
        "udp://[2001:db8::1]:53",
        "udp://[fe80::1%eth0]:53",
        "udp://127.0.0.1:53",
    ]


def test_a_missing_or_endless_file_gives_few_or_none(tmp_path):
    assert system_servers(tmp_path / "none") == []
    endless = tmp_path / "endless"
    endless.write_text("".join(f"nameserver 10.0.{n // 256}.{n % 256}\n" for n in range(50_000)))
    assert len(system_servers(endless)) == 8


def test_our_own_listeners_are_refused_with_a_reason():
    kept, problems = without_ourselves(
        ["udp://127.0.0.1:1053", "udp://127.0.0.1:53", "tcp://[::1]:1053", "udp://192.0.2.1:53"],
        [("127.0.0.1", 1053), ("::1", 1053)],
    )
    assert kept == ["udp://127.0.0.1:53", "udp://192.0.2.1:53"]
    assert len(problems) == 2 and "127.0.0.1:1053" in problems[0]


def test_a_listener_on_every_address_includes_loopback():
    kept, problems = without_ourselves(["udp://127.0.0.1:53"], [("0.0.0.0", 53)])
    assert not kept and len(problems) == 1


@pytest.mark.parametrize(
    ("server", "listener", "is_own"),
    [
        ("udp://[::ffff:127.0.0.1]", ("127.0.0.1", 53), True),
        ("udp://0.0.0.0", ("127.0.0.1", 53), True),
        ("udp://0.0.0.0", ("192.0.2.1", 53), False),
        ("udp://127.9.9.9", ("127.0.0.1", 53), False),
        ("udp://192.0.2.77", ("0.0.0.0", 53), False),  # nobody here has it
        ("udp://127.0.0.1:54", ("0.0.0.0", 53), False),
    ],
)
def test_our_own_address_is_known_in_all_clothes(server, listener, is_own):
    kept, problems = without_ourselves([server], [listener])
    assert (kept == [], bool(problems)) == (is_own, is_own)


def test_any_address_of_this_machine_is_ours_where_all_are_listened_on():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(
                ("192.0.2.1", 9)
            )  # sends nothing: the kernel chooses the address to send from
        except OSError:
            pytest.skip("needs a network interface beside loopback")
        own = sock.getsockname()[0]
    assert without_ourselves([f"udp://{own}"], [("0.0.0.0", 53)])[0] == []
    assert without_ourselves([f"udp://{own}"], [("127.0.0.1", 53)])[1] == []


def test_a_server_at_an_interface_that_is_not_there_is_told():
    kept, (problem,) = without_ourselves(["udp://[fe80::1%nope]:53"], [], "zones.0.servers")
    assert problem.startswith("zones.0.servers: udp://[fe80::1%nope]:53 is at no interface")
    assert without_ourselves(["udp://[fe80::1%1]:53"], [])[1] == []
