"""What groups can have blocked and made safe is shown without a running product."""

from tests.cli.saying import said


def test_all_services_and_engines_are_shown_with_how_many_names_they_have():
    told = said("services", status=0)
    services, engines = told.split("safe_search:\n")
    assert services.startswith("services:\n") and "  youtube " in services
    assert any(line.split()[:2] == ["google", "194"] for line in engines.splitlines())
