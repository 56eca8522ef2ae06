"""What keeps a process from starting is one clear line. Processes that start are in `tests/test_end_to_end.py`."""

import socket

import pytest

from tests.cli.saying import said


@pytest.mark.parametrize("command", ["run", "resolver", "hub"])
def test_a_wrong_configuration_is_said_by_its_key(tmp_path, command):
    (tmp_path / "namewarden.toml").write_text('[model]\nmode = "odd"\n')
    told = said(command)
    assert (
        told[26:].startswith("the configuration is wrong:") and "model.mode" in told
    )  # behind the time


def test_an_address_that_is_taken_is_said_with_its_setting(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        (tmp_path / "namewarden.toml").write_text(f'[dns]\nlisten = ["{address}"]\n')
        assert "dns.listen" in said("run")
