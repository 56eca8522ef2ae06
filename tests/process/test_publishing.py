"""What the settings say of lists and groups, as the hub publishes it."""

from pathlib import Path

from namewarden.hub.jobs import Jobs
from namewarden.process.publishing import (
    group_specs,
    list_specs,
    write_guard_list,
)
from namewarden.settings import Settings


def settings(**more):
    return Settings.model_validate(more)


def test_a_group_takes_from_the_rest_what_it_does_not_say():
    kids = {"name": "kids", "clients": ["192.0.2.0/25"], "block": "nxdomain", "lists": []}
    default, group = group_specs(
        settings(
            groups=[kids], block={"ttl": 30, "redirect": ["192.0.2.66"]}, model={"mode": "shadow"}
        )
    )
    assert (default.name, default.block, default.mode) == ("default", "null", "shadow")
    assert (group.block, group.ttl, group.mode) == ("nxdomain", 30, "shadow")
    assert group.redirect == ("192.0.2.66",) and group.lists == () and default.lists is None


def test_a_group_named_default_is_the_default():
    (only,) = group_specs(settings(groups=[{"name": "default", "mode": "off"}]))
    assert (only.name, only.mode) == ("default", "off")


def test_list_files_are_found_from_anywhere():
    (made,) = list_specs(settings(lists=[{"name": "l", "source": "lists/l.txt", "kind": "allow"}]))
    assert Path(made.path).is_absolute() and made.path.endswith("lists/l.txt")
    assert (made.kind, made.format) == ("allow", "auto")


async def test_a_guard_list_that_cannot_be_written_says_what_that_means(tmp_path):
    jobs = Jobs(tmp_path / "jobs")
    jobs.start()
    said = await write_guard_list(jobs, tmp_path / "nowhere" / "guard.txt")
    assert said.startswith("the guard list could not be written: ")
    assert said.endswith("until it is, the model blocks nothing")
    assert await write_guard_list(jobs, tmp_path / "guard.txt") == ""
