import pytest
from django.core.cache import cache

from tests.world import World, make_world


@pytest.fixture
def empty_cache(transactional_db: None) -> None:
    """Forget who tried what: the cache is no table that is emptied after a test."""
    cache.clear()


@pytest.fixture
def world(db: None) -> World:
    return make_world()
