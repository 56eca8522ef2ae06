"""Lines that are addresses: how they are kept, and what lists say about the addresses of an answer."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namewarden.policy import decide
from namewarden.policy.addresses import is_broad, listed, masked
from namewarden.policy.decide import Policy
from namewarden.policy.spec import GroupSpec
from namewarden.policy.terms import Asked
from namewarden.policy.walk import walk
from tests.policy.made import snapshot_of

SPECIAL = (
    "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.168.0.0/16 "
    "224.0.0.0/3"
)
KIDS = (GroupSpec(name="default"), GroupSpec(name="kids", lists=("other",)))


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1/32", "192.0.2.1"),
        ("192.0.2.42/24", "192.0.2.0/24"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("2001:db8::7/32", "2001:db8::/32"),
        ("2001:db8:*", "2001:db8::/32"),
        ("192.*", "192.0.0.0/8"),
        ("192.0.*", "192.0.0.0/16"),
        ("192.0.*.*", "192.0.0.0/16"),
        ("192.*.7", "192.*.*.7"),
        ("*.2.7", "*.*.2.7"),
        ("192.0.*.7", "192.0.*.7"),
        ("192.0.2.1*", None),
        ("19*.0.2.1", None),
        ("256.*", None),
        ("*.*.*.*", None),
        ("*.1.*", None),
        ("1.2.3.4.*", None),
        ("1:*:1", None),
        ("*:1", None),
        (":*", None),
        ("1:2:3:4:5:6:7:8:*", None),
        ("0.1", None),
        ("192.0.2.1/33", None),
        ("192.0.2.1/", None),
        ("abc.def", None),
        ("", None),
    ],
)
def test_how_a_line_is_kept(text, kept):
    assert listed(text) == kept


@given(st.text("0123456789abcdef.:*/", max_size=30))
def test_whatever_is_kept_can_be_looked_up(text):
    if found := listed(text):
        mask, number = masked(found)
        assert number & mask == number
        assert is_broad(found) in (True, False)
        assert listed(found) == found


@given(st.integers(0, (1 << 32) - 1), st.integers(8, 32))
def test_what_overlaps_a_special_network_is_broad(number, length):
    network = ip_network((number, length), strict=False)
    special = map(ip_network, SPECIAL.split())
    assert is_broad(str(network)) == any(map(network.overlaps, special))


def said(folder, lists, *addresses, group="default", **who):
    policy = Policy(snapshot_of(folder, lists, groups=KIDS))
    return decide.addressed(policy, "x.test.", addresses, Asked(group, 1.0, **who))


@pytest.mark.parametrize(
    ("text", "addresses", "line"),
    [
        ("192.0.2.7", ["192.0.2.7"], "1 192.0.2.7"),
        ("192.0.2.7", ["192.0.2.8"], ""),
        ("192.0.2.7", ["192.0.2.8", "::ffff:192.0.2.7"], "1 192.0.2.7"),
        ("198.51.*.7", ["198.51.100.7"], "1 198.51.*.7"),
        ("2001:db8::/32\n192.0.2.0/24", ["2001:db8::9"], "1 2001:db8::/32"),
        ("fe80::/10\nfe80::/10$important", ["fe80::1%lo"], ""),  # refused
        ("192.0.2.0/24\n@@192.0.2.7", ["192.0.2.7"], ""),
        ("192.0.2.0/24\n@@192.0.2.7", ["192.0.2.7", "192.0.2.8"], "1 192.0.2.0/24"),
        ("@@192.0.2.0/24\n192.0.2.7$important", ["192.0.2.7"], "2 192.0.2.7$important"),
        ("192.0.2.7\n192.0.2.7$badfilter", ["192.0.2.7"], ""),
        ("192.0.2.0/24\n192.0.2.7$badfilter", ["192.0.2.7"], "1 192.0.2.0/24"),
        ("192.0.2.7$dnstype=AAAA", ["192.0.2.7"], ""),
        ("192.0.2.7$client=192.0.2.99", ["192.0.2.7"], "1 192.0.2.7$client=192.0.2.99"),
        ("192.0.2.7$client=192.0.2.98", ["192.0.2.7"], ""),
        ("192.0.2.7  # expires=1970-01-01T00:00:01Z", ["192.0.2.7"], ""),
        ("192.0.2.7$denyallow=test", ["192.0.2.7"], ""),
    ],
)
def test_what_a_list_says_about_addresses(tmp_path, text, addresses, line):
    verdict = said(tmp_path, {"l": text + "\n"}, *addresses, client="192.0.2.99")
    assert (verdict.rule if verdict else "") == (f"l:{line}" if line else "")
    assert verdict is None or (verdict.action, verdict.mode, verdict.zone) == (
        "block",
        "null",
        False,
    )


def test_lists_of_allowed_addresses_and_groups(tmp_path):
    lists = {"l": "192.0.2.7$important\n", "allow:ok": "192.0.2.0/24\n", "other": "198.51.100.7\n"}
    assert said(tmp_path, lists, "192.0.2.7") is None
    assert said(tmp_path, lists, "198.51.100.7").rule == "other:1 198.51.100.7"
    assert (
        said(tmp_path, {"l": "192.0.2.7\n", "other": "x.test\n"}, "192.0.2.7", group="kids") is None
    )
    assert said(tmp_path, {"guard:known": "192.0.2.7\n"}, "192.0.2.7") is None


def test_a_zone_of_guarded_names_blocks_no_address(tmp_path):
    zone = "$ORIGIN rpz.test.\n@ SOA a. b. 1 1 1 1 1\n32.7.2.0.192.rpz-ip CNAME .\n"
    policy = Policy(snapshot_of(tmp_path, {"guard:known": zone}))
    shown = decide.Shown(("192.0.2.7",))
    assert decide.answered(policy, "x.test.", shown, "default") is None


def test_an_address_holds_until_its_time(tmp_path):
    verdict = said(tmp_path, {"l": "192.0.2.7  # expires=1970-01-02\n"}, "192.0.2.7")
    assert verdict.expires == 2 * 86_400


def test_addresses_say_nothing_about_names_and_are_not_walked(tmp_path):
    policy = Policy(snapshot_of(tmp_path, {"l": "192.0.2.7\nx.test\n"}))
    assert policy.snapshot.find("192.0.2.7.") == []
    assert [line.name for line in walk(policy, 1.0)] == ["x.test."]
    assert policy.triggers.answer_ranks == frozenset()


@given(
    st.lists(st.integers(0, 255), min_size=4, max_size=4),
    st.lists(st.booleans(), min_size=4, max_size=4),
)
def test_stars_stand_for_whole_octets(octets, stars):
    found = listed(
        ".".join("*" if star else str(octet) for octet, star in zip(octets, stars, strict=True))
    )
    assert (found is None) == all(stars)
    if found:
        mask, number = masked(found)
        own = int(ip_address(".".join(map(str, octets)))) | 0xFFFF << 32
        assert own & mask == number
