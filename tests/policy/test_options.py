"""AdBlock's options: what DNS cannot honour is no rule."""

import pytest

from namewarden.policy.formats import read_line
from namewarden.policy.options import Options, read


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        ("third-party", "option"),
        ("ctag=pc", "option"),
        ("important=1", "option"),
        ("dnstype", "type"),
        ("dnstype=", "type"),
        ("dnstype=OOPS", "type"),
        ("dnstype=A|OOPS", "type"),
        ("dnstype=A|A", "type"),
        ("dnstype=A|~A", "type"),
        ("client", "client"),
        ("client=", "client"),
        ("client=00:11:22:33:44:55", "client"),
        ("denyallow", "option"),
        ("denyallow=", "option"),
        ("denyallow=a|*.b", "option"),
        ("dnsrewrite", "option"),
        ("dnsrewrite=bad;syntax", "option"),
        ("dnsrewrite=SERVFAIL", "option"),
        ("dnsrewrite=NOERROR;NOTYPE;x", "option"),
        ("dnsrewrite=NOERROR;A;badip", "option"),
        ("dnsrewrite=NOERROR;AAAA;127.0.0.1", "option"),
        ("dnsrewrite=NOERROR;;127.0.0.1", "option"),
        ("dnsrewrite=NXDOMAIN;A;127.0.0.1", "option"),
        ("dnsrewrite=NOERROR;MX;65536 x.test", "option"),
        ("dnsrewrite=NOERROR;SVCB;1 . nonexisting=foo", "option"),
        ("domain=x.test", "option"),
    ],
)
def test_options_that_cannot_be_honoured(option, reason):
    assert read_line(f"||bad.example^${option}") == reason


@pytest.mark.parametrize(
    "option",
    [
        "important,dnstype=A", "client=192.0.2.1,dnstype=~A", "client='a, b'|192.0.2.0/24", "denyallow=a.test|b.test",
        "dnsrewrite=NOERROR;HTTPS;32 x.test alpn=h3", "dnsrewrite=NOERROR;SRV;30 60 8080 x.test",
        "dnsrewrite=NOERROR;PTR;x.test.", "dnsrewrite=;;", "all", "",
    ],
)  # fmt: skip
def test_options_that_are_honoured(option):
    if option == "dnsrewrite=;;":
        assert read(option) == "option"
    else:
        assert isinstance(read(option), Options)
