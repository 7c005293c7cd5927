"""Numbers and moments in templates: `{% load display %}`."""

from functools import cache
from typing import Any

from django import template
from django.template.context import Context
from django.template.loader import get_template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from leadscenter.lib import display

register = template.Library()
register.filter("number", display.number)
register.filter("money", display.money)
register.filter("percent", display.percent)
register.filter("duration", display.duration)
register.filter("ago", display.ago)
register.filter("stamp", display.stamp)
register.filter("initials", display.initials)
register.simple_tag(display.when, name="when")


@cache
def _icon(name: str, *, turns: bool) -> SafeString:
    return format_html(
        '<svg class="icon{}" aria-hidden="true"><use href="{}#{}"/></svg>',
        " icon--turns" if turns else "",
        static("img/icons.svg"),
        name,
    )


@register.simple_tag
def icon(name: str, *, turns: int = 0) -> SafeString:
    """An icon of the sprite, beside words that say the same; one that points somewhere `turns` with the script."""
    return _icon(name, turns=bool(turns))


@register.simple_tag(takes_context=True)
def compiled(context: Context, name: str, **values: Any) -> SafeString:
    """What a template of `templates/compiled` draws from `values` alone."""
    drawn = get_template(name, using="compiled").render(values, context.get("request"))
    return mark_safe(drawn)  # noqa: S308  # its template has escaped what it holds


@register.filter
def short_id(value: int) -> str:
    """The end of a long id: enough to tell rows apart, the whole stands in the address."""
    return str(value)[-6:]


@register.filter
def split_words(text: str) -> list[str]:
    """The words of a constant in a template."""
    return text.split()


@register.filter
def shown_state(row: Any) -> str:
    """The state of a delivery as people read it: a pending one that was answered before is retrying."""
    return "retrying" if row.state == "pending" and row.attempts else str(row.state)
