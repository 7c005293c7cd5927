from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from tests.world import World, make_world


@pytest.fixture
def world(db: None, settings: Settings, tmp_path: Path) -> World:
    """Return a world whose files stand in folders of their own."""
    settings.EXPORTS_DIR, settings.IMPORTS_DIR = str(tmp_path / "exports"), str(tmp_path / "imports")
    return make_world()
