"""What the settings say reaches the upstreams."""

import pytest

from namewarden.process.upstreams import upstreams_of
from namewarden.settings import Settings

SERVERS = ["udp://127.0.0.1:5353", "tcp://192.0.2.1", "udp://[2001:db8::1]"]


@pytest.mark.parametrize(
    ("more", "trusted"),
    [
        ({}, [True, False, False]),
        ({"trust_ad": ["192.0.2.0/24", "2001:db8::/32"]}, [False, True, True]),
        ({"trust_ad": []}, [False, False, False]),
    ],
)
def test_the_networks_whose_ad_is_passed_on(more, trusted):
    settings = Settings.model_validate({"upstream": {"servers": SERVERS, **more}})
    made = upstreams_of(settings, print)
    assert [server.is_trusted for server in made.servers] == trusted
