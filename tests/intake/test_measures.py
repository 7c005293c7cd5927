"""Counting visits over HTTP: which questions were seen, on what device, and nothing of who."""

import json
from typing import Any

import pytest
from django.test import Client

from forms_builder.measures import Counts, counts, seen_questions
from forms_builder.models import MeasureEvent
from tests.world import World, make_world

pytestmark = pytest.mark.django_db
PHONE = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36"


@pytest.fixture
def world() -> World:
    return make_world()


def tell(world: World, **body: Any) -> Any:
    return Client(headers={"User-Agent": PHONE}).post(
        f"/api/v1/public/forms/{world.form.public_id}/measures/",
        json.dumps({"version": 1, **body}),
        content_type="application/json",
    )


def test_seen_questions_are_counted_once_each_with_the_device(world: World) -> None:
    assert tell(world, kind="question", questions=["name", "email", "name"]).status_code == 204
    assert seen_questions([world.form.pk]) == {(world.form.pk, "name"): 1, (world.form.pk, "email"): 1}
    assert tell(world, kind="open").status_code == 204
    assert counts([world.form.pk], by="device") == {"phone": Counts(open=1)}


@pytest.mark.parametrize("questions", [[], ["nonsense"], "name", ["name"] * 31, [None], None])
def test_what_the_form_does_not_ask_is_not_counted(world: World, questions: object) -> None:
    assert tell(world, kind="question", questions=questions).status_code == 400
    assert not MeasureEvent.objects.exists()
