"""Results for machines: JSON lines, and JUnit XML as build servers read it."""

import re
from collections.abc import Iterable, Sequence
from xml.etree import ElementTree

import msgspec

from namewarden.harness.asking import Target
from namewarden.harness.run import Result

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_lines(results: Iterable[Result]) -> Iterable[bytes]:
    """A JSON object a line, in the order of the file."""
    for each in results:
        case, found = each.case, each.found
        said = {
            "line": case.line,
            "name": case.name,
            "type": case.qtype,
            "subnet": str(case.subnet or ""),
            "expected": case.expected.text,
            "difference": each.difference,
            "action": each.action,
            "rcode": found.rcode,
            "answer": [f"{record.qtype} {record.text}" for record in found.records],
            "ede": found.ede,
            "problem": found.problem,
            "seconds": round(each.seconds, 6),
            "tries": each.tries,
        }
        yield msgspec.json.encode(said) + b"\n"


def to_junit(results: Sequence[Result], target: Target, seconds: float) -> bytes:
    """One suite; a difference is a failure, no answer an error."""
    suite = ElementTree.Element(
        "testsuite",
        name="namewarden harness",
        tests=str(len(results)),
        failures=str(sum(bool(each.difference and not each.found.problem) for each in results)),
        errors=str(sum(bool(each.difference and each.found.problem) for each in results)),
        skipped="0",
        time=f"{seconds:.3f}",
    )
    for each in results:
        case = each.case
        subnet = f" from {case.subnet}" if case.subnet else ""
        found = ElementTree.SubElement(
            suite,
            "testcase",
            classname=target.text,
            name=_plain(f"{case.name} {case.qtype}{subnet} (line {case.line})"),
            time=f"{each.seconds:.6f}",
        )
        if each.difference:
            kind = "error" if each.found.problem else "failure"
            ElementTree.SubElement(found, kind, message=_plain(each.difference))
    suites = ElementTree.Element("testsuites")
    suites.append(suite)
    text: bytes = ElementTree.tostring(suites, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _plain(text: str) -> str:
    """What XML cannot hold, however it is escaped, is a question mark."""
    return _NO_XML.sub("?", text)
