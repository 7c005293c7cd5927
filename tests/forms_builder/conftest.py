import pytest

from tests.house import House, build


@pytest.fixture
def house(db: None) -> House:
    return build()
