"""Which of several lines decides: terms, `$badfilter`, the most labels, `$important`, `$dnsrewrite`."""

import pytest

from namewarden.policy import decide
from namewarden.policy.decide import Policy
from namewarden.policy.spec import GroupSpec
from namewarden.policy.terms import Asked
from namewarden.query import Verdict
from tests.policy.made import snapshot_of

GROUPS = (GroupSpec(name="default"), GroupSpec(name="kids", clients=("192.0.2.7/32",)))


def asked(folder, lists, name, form="auto", **who) -> Verdict | None:
    lists = {"l": lists} if isinstance(lists, str) else lists
    policy = Policy(snapshot_of(folder, lists, groups=GROUPS, form=form))
    return decide.lists(policy, f"{name}.", Asked(**{"group": "default", "now": 1.0, **who}))


def outcome(folder, lists, name, **who):
    verdict = asked(folder, lists, name, **who)
    return verdict.action if verdict else "none"


@pytest.mark.parametrize(
    ("text", "name", "action"),
    [
        # exact
        ("||x.test^\n@@|ok.x.test^", "ok.x.test", "allow"),
        ("||x.test^\n@@|ok.x.test^", "a.ok.x.test", "block"),
        ("|x.test^", "x.test", "block"),
        ("|x.test^", "a.x.test", "none"),
        # $important
        ("||x.test^$important\n@@||x.test^", "x.test", "block"),
        ("||x.test^$important\n@@||a.x.test^", "a.x.test", "block"),
        ("||x.test^$important\n@@||x.test^\n@@||a.x.test^$important", "a.x.test", "allow"),
        ("||x.test^$important\n@@||x.test^$important", "x.test", "allow"),
        ("/^trk[0-9]+\\.x\\.test$/$important\n@@||x.test^", "trk7.x.test", "block"),
        ("@@/^trk/\n||x.test^", "trk7.x.test", "allow"),
        ("@@/^trk/\n||x.test^", "x.test", "block"),
        # $badfilter
        ("||x.test^\n||x.test^$badfilter", "x.test", "none"),
        ("||x.test^\n||x.test^$badfilter\n|x.test^", "x.test", "block"),
        ("||x.test^$important\n||x.test^$badfilter", "x.test", "block"),
        ("||x.test^$important\n||x.test^$important,badfilter", "x.test", "none"),
        ("@@||a.x.test^|\n||x.test^\n@@||a.x.test^|$badfilter", "a.x.test", "block"),
        ("/^a[0-9]/\n/^a[0-9]/$badfilter", "a1.test", "none"),
        ("||a*.x.test^\n||a*.x.test^$badfilter", "ab.x.test", "none"),
        ("x.test\nx.test$badfilter", "x.test", "none"),
        ("0.0.0.0 x.test\nx.test$badfilter", "x.test", "none"),
        ("/$client=192.0.2.1", "x.test", "none"),
        ("||a*.x.test^\n||b*.x.test^$badfilter", "ab.x.test", "block"),
        # stars
        ("||gvt*.x.test^", "gvt3.x.test", "block"),
        ("||gvt*.x.test^", "a.gvt.b.x.test", "block"),
        ("||gvt*.x.test^", "agvt3.x.test", "none"),
        ("||gvt*.x.test^", "x.test", "none"),
        ("||x.test^\n@@||click*.x.test^", "click7.x.test", "allow"),
        ("||x.test^\n@@||click*.x.test^", "x.test", "block"),
        ("||click*.test^", "click.a.test", "block"),
        ("||ads.", "ads.x.test", "block"),
        ("||ads.", "www.ads.test", "block"),
        ("||ads.", "leads.test", "none"),
        # $denyallow
        ("||cheap^$denyallow=good.cheap|fine.cheap", "junk.cheap", "block"),
        ("||cheap^$denyallow=good.cheap|fine.cheap", "good.cheap", "none"),
        ("||cheap^$denyallow=good.cheap|fine.cheap", "www.fine.cheap", "none"),
        ("*$denyallow=com|net", "x.org", "block"),
        ("*$denyallow=com|net", "x.com", "none"),
        ("@@*$denyallow=com|net\n/^x[.]/", "x.org", "allow"),
        ("@@*$denyallow=com|net\n/^x[.]/", "x.com", "block"),
        # the most labels win
        ("address=/x.test/0.0.0.0\nserver=/ok.x.test/#", "ok.x.test", "allow"),
        ("address=/x.test/0.0.0.0\nserver=/ok.x.test/#", "a.ok.x.test", "allow"),
        ("address=/x.test/0.0.0.0\nserver=/ok.x.test/#", "x.test", "block"),
        (
            "address=/x.test/0.0.0.0\nserver=/ok.x.test/#\nlocal=/a.ok.x.test/",
            "a.ok.x.test",
            "block",
        ),
        ("local=/x.test/\nserver=/up.x.test/192.0.2.53", "up.x.test", "allow"),
        ("address=/x.test/0.0.0.0\naddress=/n.x.test/#", "n.x.test", "block"),  # the null address
        ("address=/x.test/0.0.0.0\nserver=/x.test/#", "x.test", "block"),  # as dnsmasq
        ("server=/x.test/#", "x.test", "none"),
        ('local-zone: "x.test" static\nlocal-zone: "ok.x.test" transparent', "ok.x.test", "allow"),
        ('local-zone: "x.test" static\nlocal-zone: "ok.x.test" transparent', "b.x.test", "block"),
        ("0.0.0.0 a.ok.test\nserver=/ok.test/#", "a.ok.test", "block"),
        ("||x.test^$important\nserver=/ok.x.test/#", "ok.x.test", "block"),
    ],
)
def test_what_decides(tmp_path, text, name, action):
    assert outcome(tmp_path, text, name) == action
    assert outcome(tmp_path, "\n".join(reversed(text.split("\n"))), name) == action


@pytest.mark.parametrize(
    ("line", "qtype", "action"),
    [
        ("||x.test^$dnstype=AAAA", 28, "block"),
        ("||x.test^$dnstype=AAAA", 1, "none"),
        ("||x.test^$dnstype=~AAAA", 28, "none"),
        ("||x.test^$dnstype=~AAAA", 1, "block"),
        ("||x.test^$dnstype=~A|AAAA", 1, "none"),
        ("||x.test^$dnstype=~A|AAAA", 28, "block"),
        ("||x.test^$dnstype=~A|AAAA", 5, "none"),
        ("/x/$dnstype=https", 65, "block"),
        ("/x.*/$dnstype=https", 65, "block"),
        ("*$dnstype=HTTPS", 65, "block"),
        ("*$dnstype=HTTPS", 1, "none"),
        ("^x;querytype=A", 1, "block"),
        ("^x;querytype=A", 28, "none"),
        ("^x;querytype=!A", 28, "block"),
        ("^x;querytype=!A", 1, "none"),
        (".*;querytype=HTTPS,SVCB", 64, "block"),
        ("^y;invert", 1, "block"),
        ("^x;invert", 1, "none"),
        ("^y;invert;querytype=AAAA", 1, "none"),
    ],
)
def test_types(tmp_path, line, qtype, action):
    form = "regex" if line.startswith((".*", "^")) else "auto"
    policy = Policy(snapshot_of(tmp_path, {"l": line}, form=form))
    verdict = decide.lists(policy, "x.test.", Asked("default", 1.0, qtype=qtype))
    assert (verdict.action if verdict else "none") == action


@pytest.mark.parametrize(
    ("option", "client", "action"),
    [
        ("192.0.2.7", "192.0.2.7", "block"),
        ("192.0.2.7", "192.0.2.8", "none"),
        ("192.0.2.7", "::ffff:192.0.2.7", "block"),
        ("~192.0.2.7", "192.0.2.7", "none"),
        ("~192.0.2.7", "192.0.2.8", "block"),
        ("192.0.2.0/24|~192.0.2.9", "192.0.2.8", "block"),
        ("192.0.2.0/24|~192.0.2.9", "192.0.2.9", "none"),
        ("2001:db8::/32", "2001:db8::1", "block"),
        ("2001:db8::/32", "2001:db9::1", "none"),
        ("kids", "192.0.2.7", "block"),
        ("'kids'", "192.0.2.7", "block"),
        ("kids", "192.0.2.8", "none"),
        ("'Frank\\'s, laptop'|\"kids\"", "192.0.2.7", "block"),
        ("192.0.2.7", "", "none"),
    ],
)
def test_clients(tmp_path, option, client, action):
    policy = Policy(snapshot_of(tmp_path, {"l": f"||x.test^$client={option}"}, groups=GROUPS))
    group = policy.groups.of(client).name
    verdict = decide.lists(policy, "x.test.", Asked(group, 1.0, client=client))
    assert (verdict.action if verdict else "none") == action


def test_clients_that_lines_tell_apart_are_of_another_class(tmp_path):
    text = "||x.test^$client=192.0.2.0/24\n||y.test^$client=~192.0.2.7|kids\n"
    policy = Policy(snapshot_of(tmp_path, {"l": text}))
    classes = [policy.class_of(one) for one in ("192.0.2.7", "192.0.2.8", "192.0.2.9", "::1")]
    assert classes[1] == classes[2] and len(set(classes)) == 3
    plain = Policy(snapshot_of(tmp_path / "plain", {"l": "||x.test^\n"}))
    assert plain.class_of("192.0.2.7") == ""


@pytest.mark.parametrize(
    ("lines", "mode", "records"),
    [
        ("||x.test^$dnsrewrite=192.0.2.1", "data", [("A", "192.0.2.1")]),
        ("||x.test^$dnsrewrite=2001:db8::1", "data", [("AAAA", "2001:db8::1")]),
        ("||x.test^$dnsrewrite=y.test", "data", [("CNAME", "y.test.")]),
        ("||x.test^$dnsrewrite=NXDOMAIN", "nxdomain", []),
        ("||x.test^$dnsrewrite=REFUSED;;", "refused", []),
        ("||x.test^$dnsrewrite=NOERROR;;", "nodata", []),
        ("||x.test^$dnsrewrite=NOERROR;MX;10 m.test", "data", [("MX", "10 m.test.")]),
        ("x.test$dnsrewrite=NOERROR;MX;10 m.test", "data", [("MX", "10 m.test.")]),
        ('||x.test^$dnsrewrite=NOERROR;TXT;a "b"', "data", [("TXT", '"a \\"b\\""')]),
        ("||x.test^$dnsrewrite=192.0.2.1\n||x.test^$dnsrewrite=192.0.2.2", "data",
         [("A", "192.0.2.1"), ("A", "192.0.2.2")]),
        ("||x.test^$dnsrewrite=192.0.2.1\n||x.test^$dnsrewrite=y.test", "data", [("CNAME", "y.test.")]),
        ("||x.test^$dnsrewrite=y.test\n||x.test^$dnsrewrite=REFUSED", "refused", []),
        ("||x.test^$dnsrewrite=192.0.2.1\n||x.test^$dnsrewrite=192.0.2.2\n@@||x.test^$dnsrewrite=192.0.2.1",
         "data", [("A", "192.0.2.2")]),
        ("||x.test^$dnsrewrite=192.0.2.1\n||x.test^", "data", [("A", "192.0.2.1")]),
        ("||x.test^$dnsrewrite=192.0.2.1\n@@||x.test^", "data", [("A", "192.0.2.1")]),
        ("||x.test^$dnsrewrite=192.0.2.1\n@@||x.test^$dnsrewrite\n||x.test^", "null", []),
        ("8.8.8.8 x.test\n9.9.9.9 y.test\n2001:db8::8 x.test\n8.8.8.8 x.test", "data",
         [("A", "8.8.8.8"), ("AAAA", "2001:db8::8")]),
        ("x.test\n8.8.8.8 x.test", "data", [("A", "8.8.8.8")]),
        ("8.8.8.8 x.test\n||x.test^$important", "null", []),
        ("8.8.8.8 x.test\nx.test$dnsrewrite=192.0.2.1", "data", [("A", "192.0.2.1")]),
        ("/^x[.]/$dnsrewrite=192.0.2.1", "data", [("A", "192.0.2.1")]),
        ("^x[.];reply=192.0.2.1,2001:db8::1", "data", [("A", "192.0.2.1"), ("AAAA", "2001:db8::1")]),
        ("^x[.];reply=192.0.2.1;reply=2001:db8::1", "data", [("A", "192.0.2.1"), ("AAAA", "2001:db8::1")]),
        ("^x(?#why)[.];reply=NODATA", "nodata", []),
        ("^x[.];reply=nxdomain", "nxdomain", []),
        ("^x[.];reply=REFUSED", "refused", []),
        ("^x[.];reply=NONE", "drop", []),
    ],
)  # fmt: skip
def test_answers_that_lines_say(tmp_path, lines, mode, records):
    form = "adblock" if "8.8.8.8" in lines else "auto"
    verdict = asked(tmp_path, lines, "x.test", form=form)
    assert verdict is not None
    assert verdict.mode == mode
    assert [(kind, text) for kind, _, text in verdict.records] == records


def test_an_allow_beats_the_address_of_a_hosts_line(tmp_path):
    assert outcome(tmp_path, "8.8.8.8 x.test\n@@||x.test^", "x.test", form="adblock") == "allow"


def test_an_allow_takes_rewriting_away_and_no_more(tmp_path):
    lines = "||x.test^$dnsrewrite=192.0.2.1\n@@||x.test^$dnsrewrite"
    assert asked(tmp_path, lines, "x.test") is None


def test_what_one_list_says_takes_away_and_lifts_what_others_say(tmp_path):
    lists = {"a": "||x.test^\n", "b": "||x.test^$badfilter\n"}
    assert outcome(tmp_path, lists, "x.test") == "none"
    lists = {"a": "||x.test^\n", "b": "server=/ok.x.test/#\n"}
    assert outcome(tmp_path, lists, "ok.x.test") == "allow"


def test_an_allow_list_beats_what_is_important_in_lists_that_deny(tmp_path):
    lists = {"a": "||x.test^$important\n", "allow:b": "x.test\n"}
    assert outcome(tmp_path, lists, "x.test") == "allow"
    assert outcome(tmp_path, lists, "y.x.test") == "block"


def test_many_lines_about_one_name_are_all_kept(tmp_path):
    text = "".join(f"||a{n}*.x.test^\n" for n in range(200))
    policy = Policy(snapshot_of(tmp_path, {"l": text}))
    assert all(decide.lists(policy, f"a{n}z.x.test.", Asked("default", 1.0)) for n in range(200))
    assert decide.lists(policy, "z.x.test.", Asked("default", 1.0)) is None
