"""Settings of the product that tests run: the real ones, but what it writes stands under the test's own folder."""

import os
from pathlib import Path

from leadscenter.settings import *  # noqa: F403

VAR_DIR = Path(os.environ["HOLDFAST_VAR"])
MEDIA_ROOT = VAR_DIR / "media"
EXPORTS_DIR = str(VAR_DIR / "exports")
IMPORTS_DIR = str(VAR_DIR / "imports")
STATIC_ROOT = VAR_DIR / "static"  # two products may collect at the same time
