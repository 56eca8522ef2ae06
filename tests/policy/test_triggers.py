"""Networks as zones write them, and which rows an address or a name server finds."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namewarden.policy.triggers import Triggers, key_of, network_of_owner, ranks_of


def mark(name):
    return name[:8].rjust(8, b"\0")


def table(*rows):
    """(trigger, name, match, list) each, its place being its record."""
    packed = sorted(
        key_of(trigger, name, match, mark) + rank.to_bytes(2) + place.to_bytes(4)
        for place, (trigger, name, match, rank) in enumerate(rows)
    )
    return Triggers(b"".join(packed), {(row[0], row[1]) for row in packed}, ranks_of(packed))


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("24.0.2.0.192", "192.0.2.0/24"),
        ("32.1.2.0.192", "192.0.2.1/32"),
        ("48.zz.1.db8.2001", "2001:db8:1::/48"),
        ("128.57.zz.1.0.db8.2001", "2001:db8:0:1::57/128"),
        ("128.1.zz", "::1/128"),
        ("128.zz", "::/128"),
        ("128.8.7.6.5.4.3.2.1", "1:2:3:4:5:6:7:8/128"),
        ("33.1.2.0.192", None),
        ("128.2.0.0.0.0.3.2.2001", None),  # not the shortest form
        ("128.1.zz.0db8.2001", None),
        ("0.0.0.0.0", None),
        ("24.1.2.0.192", None),
        ("129.1.zz", None),
        ("64.zz.1.zz.2001", None),
        ("128.9.8.7.6.5.4.3.2.1", None),
        ("x.1.2.0.192", None),
        ("32.1.2.0.256", None),
        ("", None),
        ("32", None),
    ],
)
def test_a_network_as_its_owner_writes_it(text, network):
    assert network_of_owner(text) == network


@given(st.text("0123456789abcdefz.", max_size=40))
def test_any_owner_is_a_network_or_none(text):
    found = network_of_owner(text)
    assert found is None or ip_network(found)


ADDRESSES = st.one_of(
    st.integers(0, 15).map(lambda n: f"192.0.2.{n}"),
    st.integers(0, 15).map(lambda n: f"2001:db8::{n:x}"),
)


@given(
    st.lists(st.tuples(ADDRESSES, st.integers(0, 4), st.integers(0, 3)), max_size=8),
    st.lists(ADDRESSES, max_size=3),
)
def test_addresses_find_the_networks_that_hold_them(rules, asked):
    networks = [
        ip_network(f"{text}/{ip_address(text).max_prefixlen - wide}", strict=False)
        for text, wide, _ in rules
    ]
    found = table(
        *(("ip", str(n), "exact", rule[2]) for n, rule in zip(networks, rules, strict=True))
    )
    places = {one.record for one in found.of_addresses("ip", asked)}
    assert places == {
        place
        for place, network in enumerate(networks)
        if any(ip_address(a) in network for a in asked)
    }
    assert found.of_addresses("client-ip", asked) == []


def test_zones_in_order_then_the_longest_prefix_then_the_lowest_address():
    rows = table(
        ("ip", "192.0.2.0/24", "exact", 1),
        ("ip", "192.0.2.9/32", "exact", 1),
        ("ip", "192.0.2.8/32", "exact", 1),
        ("ip", "192.0.0.0/16", "exact", 0),
    )
    found = rows.of_addresses("ip", ["192.0.2.9", "192.0.2.8", "nonsense"])
    assert [one.record for one in found] == [3, 3, 2, 1, 0, 0]
    assert rows.answer_ranks == {0, 1}


def test_octets_that_may_be_anything():
    rows = table(
        ("address", "192.0.*.7", "exact", 0),
        ("address", "*.0.2.7", "exact", 0),
        ("address", "192.0.0.0/16", "exact", 0),
        ("ip", "192.0.2.7/32", "exact", 1),
    )
    assert [one.record for one in rows.of_addresses("address", ["192.0.2.7"])] == [1, 0, 2]
    assert [one.record for one in rows.of_addresses("address", ["192.0.9.7"])] == [0, 2]
    assert rows.of_addresses("address", ["192.1.2.8", "::c000:207"]) == []
    assert (rows.answer_ranks, rows.has_addresses, rows.awaits_answers) == ({1}, True, True)


def test_servers_by_name_the_exact_one_first_then_the_closest_wildcard():
    rows = table(
        ("nsdname", "example.", "below", 0),
        ("nsdname", "b.example.", "below", 0),
        ("nsdname", "a.b.example.", "exact", 0),
        ("nsdname", ".", "below", 1),
    )
    assert [one.record for one in rows.of_servers(["a.b.example."], mark)] == [2, 1, 0, 3]
    assert [one.record for one in rows.of_servers(["b.example."], mark)] == [0, 3]


def test_what_only_clients_trigger_is_nobodys_business_once_there_is_an_answer():
    rows = table(("client-ip", "192.0.2.0/24", "exact", 3))
    assert (rows.has_clients, rows.has_servers, rows.answer_ranks) == (True, False, frozenset())
    assert rows.of_addresses("client-ip", ["::ffff:192.0.2.1"])[0].rank == 3
