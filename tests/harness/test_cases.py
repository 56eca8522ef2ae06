"""The file of names, and what is told of one that cannot be used."""

import pytest

from namewarden.harness.cases import CaseError, read


def lines(tmp_path, text):
    path = tmp_path / "names"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return [
        (case.line, case.name, case.qtype, str(case.subnet or ""), case.expected.text)
        for case in read(path)
    ]


def test_fields_stand_between_tabs_or_commas_and_may_be_missing(tmp_path):
    text = (
        "\ufeffname,type,subnet,expected\r\n# a comment\n\nWWW.example.org\n"
        'www.example.org\taaaa\t\tallow\nwww.example.org,TXT,192.0.2.7/24,"""a, b"""\n'
        "bücher.example,TYPE65,2001:db8::/48,block\n.,NS\n"
    )
    assert lines(tmp_path, text) == [
        (4, "WWW.example.org.", "A", "", ""),
        (5, "www.example.org.", "AAAA", "", "allow"),
        (6, "www.example.org.", "TXT", "192.0.2.0/24", '"a, b"'),
        (7, "xn--bcher-kva.example.", "HTTPS", "2001:db8::/48", "block"),
        (8, ".", "NS", "", ""),
    ]


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("a.test,A,,,x", "names:1: a line has at most 4 fields, not 5"),
        (",A", "names:1: the name is missing"),
        ("a.test,NOPE", "names:1:"),
        ("a..test", "names:1:"),
        ("a.test,A,nowhere,allow", "names:1: 'nowhere'"),
        ("a.test,A,,192.0.2.300", "names:1: '192.0.2.300' is no A record, no response code"),
        ("ok.test\na.test,A,,maybe", "names:2: 'maybe'"),
        ("# nothing\n\n", "there is no name in it"),
        (b"a.test,\xff", "is no UTF-8 text"),
        ("x" * 64 + ".test", "names:1:"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path, text, part):
    with pytest.raises(CaseError) as error:
        lines(tmp_path, text)
    assert part in str(error.value)


def test_every_problem_is_told_but_not_thousands(tmp_path):
    with pytest.raises(CaseError) as error:
        lines(tmp_path, "a..test\n" * 1000)
    told = str(error.value).splitlines()
    assert len(told) == 21 and told[-1] == "and 980 more"


def test_a_file_that_is_not_there_or_a_folder(tmp_path):
    for path in (tmp_path, tmp_path / "gone"):
        with pytest.raises(CaseError, match=str(path)):
            read(path)
