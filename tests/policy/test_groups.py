"""The longest network wins; strangers are in the default group."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namewarden.policy.groups import REMEMBERED, Groups
from namewarden.policy.spec import GroupSpec

GROUPS = Groups(
    (
        GroupSpec(name="home", clients=("192.168.0.0/16", "fd00::/8")),
        GroupSpec(name="kids", clients=("192.168.7.0/24", "192.168.9.5/32", "fd00:7::/64")),
        GroupSpec(name="late", clients=("192.168.7.0/24",)),
        GroupSpec(name="default", ttl=99),
    )
)


@pytest.mark.parametrize(
    ("client", "name"),
    [
        ("192.168.1.1", "home"),
        ("192.168.7.255", "kids"),
        ("192.168.9.5", "kids"),
        ("192.168.9.6", "home"),
        ("::ffff:192.168.7.1", "kids"),
        ("fd00:7::1", "kids"),
        ("fd00:8::1%eth0", "home"),
        ("10.0.0.1", "default"),
        ("2001:db8::1", "default"),
        ("nonsense", "default"),
        ("", "default"),
    ],
)
def test_the_longest_prefix_decides(client, name):
    assert GROUPS.of(client).name == name
    assert GROUPS.of(client) is GROUPS.of(client)


def test_there_is_always_a_default():
    assert Groups(()).of("192.0.2.1").name == "default"
    assert GROUPS.of("192.0.2.1").ttl == 99
    assert GROUPS.named("gone").name == "default"
    assert GROUPS.named("kids").name == "kids"


def test_a_network_of_everything():
    assert Groups((GroupSpec(name="all", clients=("0.0.0.0/0",)),)).of("192.0.2.1").name == "all"


def test_what_is_remembered_is_bounded():
    groups = Groups(())
    for number in range(REMEMBERED + 10):
        groups.of(f"fd00::{number:x}")
    assert len(groups._known) <= REMEMBERED


@given(st.text(max_size=60))
def test_any_text_has_a_group(client):
    assert GROUPS.of(client).name


def test_ipv4_in_ipv6_clothes_is_ipv4():
    groups = Groups(
        (GroupSpec(name="one", clients=("::ffff:192.0.2.1/128", "::ffff:198.51.100.0/120")),)
    )
    assert groups.of("192.0.2.1").name == groups.of("::ffff:192.0.2.1").name == "one"
    assert groups.of("198.51.100.77").name == "one"
    assert groups.of("192.0.2.2").name == "default"
