from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from leads.vault import ingest, keyring, keys
from tests.world import World, make_world


@pytest.fixture
def key_file(tmp_path: Path, settings: Settings) -> Path:
    """A key file that a test may spoil."""
    path = tmp_path / "leads.json"
    keyring.write_key_file(path, [keyring.fresh_wrapping_key(b"w" * 32)])
    settings.LEADS_KEY_FILE = str(path)
    return path


@pytest.fixture(autouse=True)
def nothing_in_memory() -> Iterator[None]:
    """No key of another test is remembered."""
    keys.forget_keys()
    ingest.forget_ingest_keys()
    yield
    keys.forget_keys()
    ingest.forget_ingest_keys()


@pytest.fixture
def world(db: None, key_file: Path) -> World:
    return make_world()
