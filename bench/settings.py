"""The production settings with two more routes, for what intake is measured beside."""

from leadscenter.settings import *  # noqa: F403

ROOT_URLCONF = "bench.urls"
EXTRA_APPS: list[str] = ["bench"]
INSTALLED_APPS = [*INSTALLED_APPS, *EXTRA_APPS]  # noqa: F405
