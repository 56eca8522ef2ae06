"""Mnemonics, both ways."""

import pytest

from namewarden.wire.types import rcode_name, type_name, type_number


def test_types_and_rcodes_have_names_and_numbers():
    assert [type_name(n) for n in (1, 28, 65, 255, 64000)] == ["A", "AAAA", "HTTPS", "ANY", "TYPE64000"]  # fmt: skip
    assert [type_number(t) for t in ("a", "HTTPS", "TYPE65")] == [1, 65, 65]
    assert [rcode_name(n) for n in (0, 3, 16, 4000)] == ["NOERROR", "NXDOMAIN", "BADVERS", "RCODE4000"]  # fmt: skip


@pytest.mark.parametrize("text", ["", "NOPE", "TYPE", "TYPE65536", "TYPE-1", "TYPE٣"])
def test_unknown_types_are_said_so(text):
    with pytest.raises(ValueError, match="not a DNS type"):
        type_number(text)
