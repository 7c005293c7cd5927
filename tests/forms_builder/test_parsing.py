"""Form content from JSON: what a draft may hold, what stops a publish, and where a fault is."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forms_builder.parsing import parse
from forms_builder.schema import STANDARD_FIELDS, BadContent, publish_problems
from tests.house import CONTENT

CHOICE = {"kind": "multiple_choice", "label": "When?"}


def faults(content: Any) -> dict[str, str]:
    with pytest.raises(BadContent) as bad:
        parse(content)
    return bad.value.errors


def test_content_survives_a_round_trip() -> None:
    content = parse(CONTENT)
    assert parse(content.as_json()) == content
    assert publish_problems(content) == {}


def test_every_standard_field_can_be_asked_once() -> None:
    content = parse({"questions": [{"kind": kind} for kind in STANDARD_FIELDS]})
    assert [question.key for question in content.questions] == list(STANDARD_FIELDS)
    assert all(question.label for question in content.questions)
    assert faults({"questions": [{"kind": "email"}, {"kind": "email"}]}) == {"questions.1.key": "Used twice."}


def test_keys_are_made_from_words_and_stay_apart() -> None:
    same = {"kind": "short_answer", "label": "What is your roof?"}
    content = parse({"questions": [same, same, {"kind": "short_answer", "label": "屋根は？"}]})
    assert [question.key for question in content.questions] == ["what_is_your_roof", "what_is_your_roof_2", "question"]
    options = parse({"questions": [CHOICE | {"options": ["Yes", "Yes", "はい"]}]}).questions[0].options
    assert [option.key for option in options] == ["yes", "yes_2", "option"]


def test_consent_cannot_be_ticked_beforehand() -> None:
    box = {"label": "Call me.", "checked": True}
    assert faults({"disclaimer": {"consents": [box]}}) == {"disclaimer.consents.0.checked": "Unknown field."}


@pytest.mark.parametrize(
    ("content", "path"),
    [
        ([], "content"),
        ("text", "content"),
        ({"headline": 7}, "headline"),
        ({"headline": "x" * 101}, "headline"),
        ({"headline": "nul\x00"}, "headline"),
        ({"headline": "\ud800"}, "headline"),
        ({"colour": "red"}, "colour"),
        ({"country": "XX"}, "country"),
        ({"questions": {}}, "questions"),
        ({"questions": [{"kind": "short_answer"}] * 31}, "questions"),
        ({"questions": [{"kind": "shoe_size"}]}, "questions.0.kind"),
        ({"questions": [{"kind": "email", "key": "mail"}]}, "questions.0.key"),
        ({"questions": [{"kind": "short_answer", "key": "email"}]}, "questions.0.key"),
        ({"questions": [{"kind": "short_answer", "key": "Bad Key"}]}, "questions.0.key"),
        ({"questions": [{"kind": "short_answer", "required": "yes"}]}, "questions.0.required"),
        ({"questions": [CHOICE | {"options": [str(number) for number in range(11)]}]}, "questions.0.options"),
        ({"questions": [{"kind": "short_answer", "options": ["A"]}]}, "questions.0.options"),
        ({"disclaimer": {"consents": [{"label": "A"}] * 6}}, "disclaimer.consents"),
        ({"ending": {"link_url": "javascript:alert(1)"}}, "ending.link_url"),
        ({"ending": {"link_url": "http://plain.example/"}}, "ending.link_url"),
    ],
)
def test_malformed_content_is_refused_with_its_path(content: Any, path: str) -> None:
    assert list(faults(content)) == [path]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"headline": ""}, "headline"),
        ({"questions": []}, "questions"),
        ({"questions": [{"kind": "short_answer", "key": "a"}]}, "questions.0.label"),
        ({"questions": [CHOICE | {"options": ["One"]}]}, "questions.0.options"),
        ({"questions": [CHOICE | {"options": ["One", ""]}]}, "questions.0.options.1.label"),
        ({"privacy_policy_url": ""}, "privacy_policy_url"),
        ({"disclaimer": {"consents": [{"label": ""}]}}, "disclaimer.consents.0.label"),
        ({"ending": {"link_url": "https://larkspur.example/"}}, "ending.link_text"),
    ],
)
def test_what_stops_a_publish_is_fine_in_a_draft(change: dict[str, Any], path: str) -> None:
    assert list(publish_problems(parse(CONTENT | change))) == [path]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=12), children, max_size=4),
    max_leaves=15,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the first draw builds tables of letters
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(parse({}).as_json(), JSON)) | JSON)
def test_anything_is_parsed_or_refused(value: Any) -> None:
    try:
        content = parse(value)
    except BadContent as bad:
        told = bad.errors
    else:
        assert parse(content.as_json()) == content
        return
    assert told
    "".join([*told, *told.values()]).encode()
