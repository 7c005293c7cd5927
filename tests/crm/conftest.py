from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.crm.world import World, make_world
from tests.fakes.sink import Sink


@pytest.fixture
def world(transactional_db: None) -> World:
    return make_world()


@pytest.fixture
def sink(settings: Settings) -> Iterator[Sink]:
    with Sink() as sink:
        settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1"]
        yield sink
