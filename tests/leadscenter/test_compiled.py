"""Templates that are compiled to Python: they escape what they print and refuse a name that they were not given."""

import pytest
from django.template import Context, Template, engines
from jinja2 import UndefinedError

from leads.center.views.filtering import Choice

HOSTILE = '"><script>x()</script>%(x)s'


def test_what_a_tag_puts_into_a_page_is_escaped_once() -> None:
    choice = Choice("form", HOSTILE, (("1", HOSTILE),), "1")
    page = Template('{% compiled "leads/choices.jinja" choices=choices %}').render(Context({"choices": [choice]}))
    assert page.count("<select") == page.count("<label") == 1
    assert "<script" not in page
    assert page.count("&#34;&gt;&lt;script&gt;x()&lt;/script&gt;%(x)s") == 2
    assert '<option value="1" selected>' in page


def test_words_with_a_place_for_a_name_escape_the_name() -> None:
    template = engines["compiled"].from_string(
        '{% set select = _("Select %(name)s") %}<b title="{{ select % {"name": name} }}"></b>'
    )
    assert template.render({"name": HOSTILE}).startswith('<b title="Select &#34;&gt;&lt;script')


def test_a_name_that_was_not_given_is_an_error() -> None:
    with pytest.raises(UndefinedError, match="choices"):
        Template('{% compiled "leads/choices.jinja" %}').render(Context())


def test_an_icon_comes_from_the_sprite() -> None:
    page = Template('{% icon "prev" turns=1 %}{% icon name %}').render(Context({"name": 'x"><b>'}))
    assert page.startswith('<svg class="icon icon--turns" aria-hidden="true"><use href="/static/img/icons')
    assert "#prev" in page
    assert "<b>" not in page
