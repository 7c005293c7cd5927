from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from tests.world import World, make_world


@pytest.fixture
def world(db: None, settings: Settings, tmp_path: Path) -> World:
    """Return a world whose exports stand in a folder of their own."""
    settings.EXPORTS_DIR = str(tmp_path / "exports")
    return make_world()
