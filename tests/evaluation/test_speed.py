"""What is timed is every name that is judged, each through the rule of what is scored."""

from namewarden.detector.label import Labels
from namewarden.evaluation.speed import measure, show


def test_every_round_asks_every_name_alone_and_in_batches():
    asked: list[int] = []
    names = [f"label{number}.org" for number in range(128)]
    made = [f"made{number}.org" for number in range(64)]
    score = lambda labels: asked.append(len(labels))  # noqa: E731
    never = ["localhost", "1.0.0.127.in-addr.arpa", "_dmarc.org"]
    found = measure([*names, *never], made, score, Labels((), 0), {"m": 1000}, 2)
    assert asked.count(1) == 2 * (128 + 64)
    assert asked.count(64) == 2 * 3 + 3  # some before, to warm up
    assert 0 < found.single.median <= found.single.p99
    assert "128 names of either kind, 2 rounds" in show(found) and "together 1,000" in show(found)
