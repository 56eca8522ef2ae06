from pathlib import Path

import pytest

from bench import names, product
from bench.server import Place
from namewarden import config


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(
        tmp_path, 5300, names.write(tmp_path / "names", 2000, names.Sizes(100, 500, 10, 10)), 5301
    )


@pytest.mark.parametrize("has_list", [True, False])
@pytest.mark.parametrize("has_events", [True, False])
def test_its_configuration_is_valid(place: Place, has_events: bool, has_list: bool):
    *_, path = product.command(place, has_events, has_list)
    settings = config.load(Path(path), {})
    assert settings.dns.listen == ("127.0.0.1:5300",)
    assert settings.upstream.servers == ("udp://127.0.0.1:5301",)
    assert settings.events.enabled is has_events
    assert [entry.source for entry in settings.lists] == [str(place.names.listed)] * has_list


def test_variants_differ_by_name():
    assert len({server.name for server in product.VARIANTS}) == len(product.VARIANTS)
    assert all(product.is_ours(server) for server in product.VARIANTS)
