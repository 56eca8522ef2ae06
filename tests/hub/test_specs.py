"""Control data becomes lists, groups and rules; the settings' own come first."""

from pathlib import Path

from namewarden.hub.services import Services
from namewarden.hub.specs import build_spec
from namewarden.policy.spec import GroupSpec, ListSpec, SnapshotSpec
from tests.hub.made import Clock, services


def decide(parts: Services, name: str, verdict: str, expires: float = 0.0) -> None:
    body = {"name": name, "verdict": verdict, "match": "exact", "groups": [], "reason": ""}
    parts.control.put("decision", name, body, None, expires)


async def test_the_specification_says_all_that_is_in_force(tmp_path: Path) -> None:
    clock = Clock()
    lists = (ListSpec("first", "/x/first"), ListSpec("second", "/x/second", "allow"))
    async with services(tmp_path, clock) as parts:
        control = parts.control
        control.put("list", "third", {"path": "/x/third", "kind": "deny", "format": "rpz"})
        control.put("list", "first", {"path": "/x/other", "kind": "deny", "format": "auto"})
        control.put(
            "group", "children", {"clients": ["192.0.2.0/24"], "lists": ["third", "gone"], "ttl": 5}
        )
        control.put("group", "default", {"clients": ["192.0.2.0/24"]})
        decide(parts, "a.example.org.", "malicious")
        decide(parts, "b.example.org.", "honeypot", clock.now + 9)
        decide(parts, "c.example.org.", "benign", clock.now - 9)
        rule = {
            "name": "x.",
            "effect": "deny",
            "match": "below",
            "groups": ["children"],
            "reason": "r",
        }
        control.put("rule", "r1", rule)
        source, _ = parts.auth.new_token("d", "source", 0.0)
        parts.auth.new_token("v", "viewer", 0.0)
        spec = build_spec(control, lists, (GroupSpec("default"),), "abc")
        rules = parts.publisher.overlay
        assert rules.publish()
    assert [entry.name for entry in spec.lists] == ["first", "second", "third"]
    assert spec.lists[0].path == "/x/first"
    assert [(g.name, g.lists, g.ttl) for g in spec.groups] == [
        ("default", None, 10),
        ("children", ("third",), 5),
    ]
    assert [(r.id, r.effect, r.match, r.expires) for r in rules.rules()] == [
        ("decision", "deny", "exact", 0.0),
        ("decision", "redirect", "exact", clock.now + 9),
        ("r1", "deny", "below", 0.0),
    ]
    assert len(spec.token_hashes) == 1 and source not in spec.token_hashes
    assert spec.model == "abc"
    assert isinstance(spec, SnapshotSpec)


async def test_a_token_takes_its_end_along(tmp_path: Path) -> None:
    async with services(tmp_path, clock := Clock()) as parts:
        parts.auth.new_token("d", "source", clock.now + 60)
        spec = build_spec(parts.control, (), ())
    assert spec.token_expires == (clock.now + 60,)
