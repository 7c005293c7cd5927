"""Real pages in a real browser: a running server, a world with something on every page, and who is signed in."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.browsers import chromium

# Playwright's own event loop runs in the thread of the test; the tests' use of the database there is not asynchronous.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

expect.set_options(timeout=20_000)  # on a slow machine a page takes its time; what never comes still fails


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    """One Chromium for the tests of a file; closed with them, since its event loop would run on in the thread."""
    with chromium() as browser:
        yield browser
