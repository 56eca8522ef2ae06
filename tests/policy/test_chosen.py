"""The files of services and engines are what they say, and stand where operators expect them in the precedence."""

from pathlib import Path

import pytest

from namewarden.policy import chosen, decide
from namewarden.policy.check import check
from namewarden.policy.compile import compile_snapshot
from namewarden.policy.decide import Policy
from namewarden.policy.spec import GroupSpec, ListSpec, RuleSpec, SnapshotSpec
from namewarden.policy.terms import Asked, Terms
from namewarden.policy.walk import walk
from tests.policy.made import SECRET, ruled

HTTPS = 65
ENGINES = {
    "bing": "strict.bing.com.", "brave": "forcesafe.search.brave.com.", "duckduckgo": "safe.duckduckgo.com.",
    "ecosia": "strict-safe-search.ecosia.org.", "google": "forcesafesearch.google.com.",
    "pixabay": "safesearch.pixabay.com.", "qwant": "safeapi.qwant.com.", "yandex": "familysearch.yandex.ru.",
    "youtube": "restrict.youtube.com.", "youtube-moderate": "restrictmoderate.youtube.com.",
}  # fmt: skip
ASKED_FOR = {
    "youtube", "tiktok", "instagram", "facebook", "snapchat", "discord", "whatsapp", "telegram", "netflix", "roblox",
    "twitch", "reddit", "x", "spotify", "steam", "epic-games", "minecraft", "pinterest", "chatgpt", "tinder",
}  # fmt: skip


def snapshot_of(folder, groups, lists=()):
    folder.mkdir(exist_ok=True)
    specs = []
    for key, text in dict(lists).items():
        kind, _, name = key.rpartition(":")
        (folder / f"{name}.txt").write_text(text)
        specs.append(ListSpec(name, str(folder / f"{name}.txt"), kind or "deny"))
    spec = SnapshotSpec(lists=(*chosen.wanted(groups), *specs), groups=groups)
    return compile_snapshot(spec, SECRET, folder / "policy.snap")


EVERYTHING = GroupSpec(
    "default", services=chosen.known("service"), safe_search=chosen.known("safe-search")
)


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    return Policy(snapshot_of(tmp_path_factory.mktemp("all"), (EVERYTHING,)))


@pytest.fixture(scope="module")
def lines(everything):
    return list(walk(everything, 0.0))


def test_what_people_ask_for_most_is_there():
    assert len(chosen.known("service")) >= 40
    assert set(chosen.known("service")) >= ASKED_FOR
    assert set(chosen.known("safe-search")) == ENGINES.keys()


@pytest.mark.parametrize("kind", chosen.KINDS)
def test_each_says_what_it_is_where_its_names_are_from_and_when_they_were_looked_at(kind):
    for each in chosen.described(kind):
        assert each.title and each.names and each.date >= "2026-11-29"
        assert all(source.startswith("https://") for source in each.sources) and each.sources
        path = next(
            one.path for one in chosen.wanted([EVERYTHING]) if one.name == f"{kind}:{each.name}"
        )
        skipped = [line for line in check(Path(path), "adblock") if not line.rules]
        assert all(line.text.startswith("! ") for line in skipped), path


def test_every_line_of_a_service_is_a_name_with_all_below(lines):
    found = [line for line in lines if line.source.startswith("service:")]
    assert {(line.match, line.action) for line in found} == {("both", "deny")}
    assert {line.name: line.terms for line in found if line.terms} == {
        "amazon.com.": Terms(spared=("aws.amazon.com.",))
    }
    assert all(line.name.count(".") > 1 for line in found)  # no top-level domain


@pytest.mark.parametrize(
    "name",
    [
        "signin.aws.amazon.com.",
        "console.aws.amazon.com.",
        "m.media-amazon.com.",  # films' pages and audio books of sister companies
        "config.edge.skype.com.",  # Skype ended in 2025, Teams and Office ask for its names
        "api.flightproxy.skype.com.",
        "abc.us-west-2.playback.live-video.net.",  # a service for streams of anybody
        "modules-cdn.eac-prod.on.epicgames.easyanticheat.net.",  # games of other makers
        "google.com.", "accounts.google.com.", "fonts.googleapis.com.", "www.gstatic.com.",
        "lh3.googleusercontent.com.", "s3.amazonaws.com.", "d1.cloudfront.net.", "a.akamaihd.net.", "a.akamaized.net.",
        "cdn.fastly.net.", "bing.com.", "login.microsoftonline.com.", "login.live.com.", "www.apple.com.",
        "itunes.apple.com.", "www.icloud.com.", "go.com.", "www.alicdn.com.", "www.naver.com.", "example.appspot.com.",
    ],
)  # fmt: skip
def test_all_services_together_block_nothing_that_is_others(everything, name):
    assert decide.lists(everything, name, Asked("default", 0.0)) is None


def test_an_engine_answers_its_pages_with_the_name_that_it_documents(lines):
    for engine, target in ENGINES.items():
        found = [line for line in lines if line.source == f"safe-search:{engine}"]
        assert {line.match for line in found} == {"exact"}
        assert {line.records for line in found} == {(("CNAME", 10, target),)}
        assert target not in {line.name for line in found}
    names = {line.name for line in lines if line.source == "safe-search:google"}
    assert len(names) > 190 and names >= {"www.google.com.", "www.google.de.", "www.google.co.uk."}


def test_what_is_not_there_is_told_with_what_is_near():
    (problem,) = chosen.problems("service", ["tiktok", "youtub"])
    assert problem.startswith("services: there is no 'youtub' (near: youtube")
    (problem,) = chosen.problems("safe-search", ["gogle"])
    assert problem.startswith("safe_search: there is no 'gogle' (near: google")
    assert "near: " in chosen.problems("service", ["!"])[0]


KIDS = GroupSpec("kids", ("10.0.0.0/8",), services=("youtube",), safe_search=("google", "youtube"))
GROUPS = (
    GroupSpec("default"),
    KIDS,
    GroupSpec("bare", ("10.1.0.0/16",), lists=(), services=("x",)),
)
LISTS = {
    "ads": "||youtube.com^\nads.example.net\n",
    "allow:friends": "||youtube.com^\nwww.google.com\n@@||x.com^\n",
}


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    return Policy(snapshot_of(tmp_path_factory.mktemp("some"), GROUPS, LISTS))


def ask(policy, name, group, qtype=1):
    return decide.lists(policy, name, Asked(group, 0.0, False, qtype))


def test_only_who_asks_for_it_gets_it(policy):
    verdict = ask(policy, "m.youtube.com.", "kids")
    assert (verdict.action, verdict.reason, verdict.chosen) == ("block", "list_deny", True)
    assert verdict.rule.startswith("service:youtube:") and verdict.rule.endswith(" ||youtube.com^")
    assert ask(policy, "m.youtube.com.", "default").reason == "list_allow"
    assert ask(policy, "m.youtube.com.", "bare") is None
    assert ask(policy, "x.com.", "bare").rule.startswith("service:x:")
    assert ask(policy, "x.com.", "kids").reason == "list_allow"


def test_lists_are_used_as_before(policy):
    for group in ("default", "kids"):
        assert ask(policy, "ads.example.net.", group).rule == "ads:2 ads.example.net"
    assert ask(policy, "ads.example.net.", "bare") is None


def test_it_beats_lists_of_strangers_and_a_local_rule_beats_it(policy):
    assert ask(policy, "youtube.com.", "kids").action == "block"
    assert ask(policy, "www.google.com.", "kids").action == "redirect"
    rules = (
        RuleSpec("1", "youtube.com.", "allow", "both"),
        RuleSpec("2", "www.google.com.", "deny"),
    )
    local = policy.with_rules(ruled(rules))
    assert ask(local, "youtube.com.", "kids").reason == "rule_allow"
    assert ask(local, "www.google.com.", "kids").reason == "rule_deny"


def test_a_blocked_service_beats_its_safe_search(policy):
    assert ask(policy, "www.youtube.com.", "kids").rule.startswith("service:youtube:")


def test_strict_beats_moderate(tmp_path):
    both = GroupSpec("default", safe_search=("youtube-moderate", "youtube"))
    policy = Policy(snapshot_of(tmp_path, (both,)))
    assert ask(policy, "m.youtube.com.", "default").records[0][2] == "restrict.youtube.com."


@pytest.mark.parametrize(("qtype", "answered"), [(1, True), (28, True), (HTTPS, True), (15, False)])
def test_safe_search_is_for_what_browsers_ask(policy, qtype, answered):
    verdict = ask(policy, "www.google.com.", "kids", qtype)
    target = (("CNAME", 10, "forcesafesearch.google.com."),)
    if answered:
        assert (verdict.mode, verdict.records, verdict.chosen) == ("data", target, True)
    else:
        assert verdict.reason == "list_allow"
