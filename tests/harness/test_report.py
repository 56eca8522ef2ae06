"""What machines read: each case once, whatever names and answers hold."""

import json
from xml.etree import ElementTree

import pytest

from namewarden.harness.asking import Target
from namewarden.harness.cases import read
from namewarden.harness.expected import Found, Record
from namewarden.harness.report import to_junit, to_lines
from namewarden.harness.run import Result

TARGET = Target("::1", 53)
MARKUP = '<failure message="forged"/>&\x00\x1b[31m]]>'


@pytest.fixture
def results(tmp_path):
    path = tmp_path / "names"
    path.write_text("a.example,A,192.0.2.0/24,block\nb.example\nc\\003<&>.example,TXT,,allow\n")
    one, two, three = read(path)
    text = Found("NOERROR", (Record("TXT", MARKUP, b""),), ((15, MARKUP),))
    return [
        Result(one, Found("NXDOMAIN"), "block", "", 0.001, 1),
        Result(two, Found(problem="no answer within 2 s"), "", "no answer within 2 s", 4.0, 2),
        Result(three, text, "block", f"expected allow, found TXT {MARKUP}", 0.0025, 1),
    ]


def test_a_json_object_a_line(results):
    first, second, third = map(json.loads, b"".join(to_lines(results)).splitlines())
    assert first == {
        "line": 1, "name": "a.example.", "type": "A", "subnet": "192.0.2.0/24", "expected": "block",
        "difference": "", "action": "block", "rcode": "NXDOMAIN", "answer": [], "ede": [], "problem": "",
        "seconds": 0.001, "tries": 1,
    }  # fmt: skip
    assert second["problem"] == second["difference"] == "no answer within 2 s"
    assert third["answer"] == [f"TXT {MARKUP}"] and third["ede"] == [[15, MARKUP]]


def test_junit_tells_failures_from_errors_and_nothing_breaks_out(results):
    suite = ElementTree.fromstring(to_junit(results, TARGET, 4.2))[0]
    counts = [suite.get(each) for each in ("tests", "failures", "errors", "skipped", "time")]
    assert counts == ["3", "1", "1", "0", "4.200"]
    names = [each.get("name") for each in suite]
    assert names == [
        "a.example. A from 192.0.2.0/24 (line 1)",
        "b.example. A (line 2)",
        "c\\003<&>.example. TXT (line 3)",
    ]
    assert [[inner.tag for inner in each] for each in suite] == [[], ["error"], ["failure"]]
    assert suite[2][0].get("message") == (
        'expected allow, found TXT <failure message="forged"/>&??[31m]]>'
    )
    assert {each.get("classname") for each in suite} == {"udp://[::1]:53"}
