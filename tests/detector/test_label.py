"""What is scored of a name, by kind of suffix; and that any name at all gets an answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from namewarden.detector.label import Labels, Scorable, Unscored, dynamic_providers, warning_list

LABELS = Labels(dynamic_providers())


@pytest.mark.parametrize(
    ("name", "label", "kind", "registrable", "judged"),
    [
        ("www.example.org.", "example", "icann", "example.org", "example.org"),
        ("a.b.example.co.uk.", "example", "icann", "example.co.uk", "example.co.uk"),
        ("example.org", "example", "icann", "example.org", "example.org"),
        ("x.y.kawasaki.jp.", "x", "icann", "x.y.kawasaki.jp", "x.y.kawasaki.jp"),  # wildcard rule
        ("city.kawasaki.jp.", "city", "icann", "city.kawasaki.jp", "city.kawasaki.jp"),  # its exception
        ("www.8m4u238w41xupw.ddns.net.", "8m4u238w41xupw", "dynamic", "ddns.net", "8m4u238w41xupw.ddns.net"),
        ("host.go.dyndns.org.", "host", "dynamic", "dyndns.org", "host.go.dyndns.org"),
        ("d111abcdef8.netlify.app.", "d111abcdef8", "private", "netlify.app", "d111abcdef8.netlify.app"),
        ("x.someone.github.io.", "someone", "private", "github.io", "someone.github.io"),
        ("kqxz.bit.", "kqxz", "icann", "kqxz.bit", "kqxz.bit"),
        ("a.xn--fiqs8s.", "a", "icann", "a.xn--fiqs8s", "a.xn--fiqs8s"),
        ("xn--bcher-kva.org.", "xn--bcher-kva", "icann", "xn--bcher-kva.org", "xn--bcher-kva.org"),
        ("foo_bar.org.", "foo_bar", "icann", "foo_bar.org", "foo_bar.org"),
        ("a.\\000.example.org.", "example", "icann", "example.org", "example.org"),
        ("_dmarc.example.org.", "example", "icann", "example.org", "example.org"),
        ("_443._tcp.www.example.org.", "example", "icann", "example.org", "example.org"),
    ],
)  # fmt: skip
def test_the_label_left_of_the_suffix(name, label, kind, registrable, judged):
    assert LABELS.scored(name) == Scorable(label, kind, registrable, judged)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("localhost.", "single_label"),
        ("com.", "single_label"),
        (".", "single_label"),
        ("", "single_label"),
        ("4.3.2.1.in-addr.arpa.", "reverse"),
        ("1.0.ip6.arpa.", "reverse"),
        ("_dmarc.org.", "service"),
        ("_443._tcp.co.uk.", "service"),
        ("_x.github.io.", "service"),
        ("co.uk.", "suffix"),
        ("github.io.", "suffix"),
        ("ddns.net.", "suffix"),
        ("printer.corp.", "unknown_suffix"),
        ("wpad.fritz.box2.", "unknown_suffix"),
        ("a..org.", "malformed"),
        ("\\000abc.org.", "malformed"),
        ("*.org.", "malformed"),
    ],
)
def test_what_is_not_scored(name, why):
    assert LABELS.scored(name) == Unscored(why)


@given(st.text(max_size=300) | st.from_regex(r"\A[a-z0-9\\._*-]{0,260}\Z"))
def test_any_text_gets_an_answer(name):
    what = LABELS.scored(name)
    assert isinstance(what, Unscored) or (0 < len(what.label) <= 63 and what.label.isascii())
    if isinstance(what, Scorable):
        label, _, suffix = what.judged.partition(".")
        assert label == what.label and suffix
        assert f".{name.lower().removesuffix('.')}".endswith(f".{what.judged}")


def test_the_longest_names():
    name = ".".join(["a" * 63] * 3 + ["b" * 57, "org"]) + "."
    assert len(name) == 254
    assert LABELS.scored(name) == Scorable("b" * 57, "icann", "b" * 57 + ".org", "b" * 57 + ".org")
    assert isinstance(LABELS.scored("a." * 126 + "a."), Unscored)


def test_it_remembers_a_bounded_number_of_names():
    labels = Labels([], remembered=10)
    for number in range(50):
        labels.scored(f"n{number}.example.org.")
    info = labels.scored.cache_info()  # type: ignore[attr-defined]
    assert info.currsize == 10


def test_warning_lists_are_plain_names():
    assert "ddns.net" in dynamic_providers()
    assert not any(name.startswith(".") for name in warning_list("dynamic-dns"))


@pytest.mark.parametrize(
    "name",
    [
        "d111abcdef8.cloudfront.net.",
        "k8s-x-9.us-east-1.elb.amazonaws.com.",
        "e1.dscb.akamaiedge.net.",
    ],
)
def test_a_platform_that_names_its_customers_itself_says_nothing_about_them(name):
    assert LABELS.scored(name) == Unscored("platform")


def test_providers_that_the_warning_lists_lack():
    found = Labels(dynamic_providers()).scored("qxzkvj.yi.org.")
    assert found == Scorable("qxzkvj", "dynamic", "yi.org", "qxzkvj.yi.org")
