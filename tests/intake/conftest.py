from collections.abc import Iterator

import pytest

from tests.product import Product, running
from tests.world import World, make_world


@pytest.fixture
def world(db: None) -> World:
    return make_world()


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    """The web server alone, on a database of its own."""
    with running(debug=False) as found:
        # The first page of an installation makes its ingest key.
        assert found.visitor().get(f"/f/{found.demo['forms']['brand']['public_id']}/").status == 200
        yield found
