"""Of a skipped line people hear what RE2 says, or which option it was."""

import pytest

from namewarden.policy.reader import Reader
from namewarden.policy.why import why


@pytest.mark.parametrize(
    ("line", "reason", "said"),
    [
        ("||a.example^$script,important", "option", "script"),
        ("||a.example^$important,domain=x.example", "option", "domain=x.example"),
        ("||a.example^$important,important", "option", "important twice"),
        ("||a.example^$dnstype=NOPE", "type", "dnstype=NOPE"),
        ("/^ads[0-9]+/$ctag=device_tv", "option", "ctag=device_tv"),
        (r"/(x)\1[0-9]/", "pattern", r"invalid escape sequence: \1"),
        ("/(a[0-9]+/$important", "pattern", "missing ): (a[0-9]+"),
        ("/(a|)/", "pattern", "it matches every name"),
        ("/[0-9]" + "x" * 600 + "/", "pattern", "it is longer than 512 letters"),
        ("^ads[0-9]+;querytype=A;colour=red", "option", "colour=red"),
        ('local-zone: "a.example" nodefault', "option", "nodefault"),
        ("no_name here", "syntax", ""),
    ],
)
def test_the_reason_is_spelled_out(line, reason, said):
    assert Reader("auto", "").read(line) == reason
    assert why(line, reason) == said
