"""The WSGI application, for granian: `granian --interface wsgi leadscenter.wsgi:application`."""

import gc
import os
from importlib import import_module
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "leadscenter.settings")
os.environ.setdefault("STATEMENT_TIMEOUT_MS", "5000")

from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.wsgi import get_wsgi_application
from whitenoise import WhiteNoise


def with_static_files(console: Any) -> Any:
    """Static files beside the application: from the source folders in DEBUG, else the collected, hashed ones."""
    if settings.DEBUG:
        return StaticFilesHandler(console)
    return HashedFiles(console, root=str(settings.STATIC_ROOT), prefix=settings.STATIC_URL)


class HashedFiles(WhiteNoise):
    """Files whose name holds the hash of their content may be kept for ever."""

    def immutable_file_test(self, path: str, url: str) -> bool:
        stem, _, _ = url.rpartition(".")
        return len(stem.rpartition(".")[2]) == 12 and stem.count(".") > 0


if settings.SENTRY_DSN:
    import_module("leadscenter.reporting").start_reporting(settings.SENTRY_DSN)  # a slow import for the few who need it
application = with_static_files(get_wsgi_application())
gc.collect()
gc.freeze()  # what is loaded now stays: the search for rings of objects, 100 ms through all of it, leaves it out
