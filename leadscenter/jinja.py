"""Templates that are compiled to Python: the rows of a list, which are most of what its page draws (docs/adr/0006)."""

from typing import Any

from django.templatetags.static import static
from django.utils.translation import gettext, ngettext
from jinja2 import Environment, StrictUndefined


def environment(**options: Any) -> Environment:
    """Return the environment of `templates/compiled`: escapes, translates, and refuses names that it does not know."""
    options |= {
        "extensions": ["jinja2.ext.i18n"],
        "undefined": StrictUndefined,
        "trim_blocks": True,
        "lstrip_blocks": True,
    }
    made = Environment(**options)  # noqa: S701  # Django's backend says autoescape
    made.install_gettext_callables(gettext, ngettext, newstyle=False)  # type: ignore[attr-defined]  # of the extension
    made.globals["static"] = static
    return made
