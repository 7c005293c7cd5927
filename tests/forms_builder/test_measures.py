"""Counts: events count at once, are moved into days exactly once, and survive beside a second run."""

import threading
from collections import Counter

import pytest
from django.db import connection

from forms_builder.measures import Counts, counts, record, roll_up, seen_questions
from forms_builder.models import MeasureDay, MeasureEvent, MeasureKind
from forms_builder.tasks import roll_up_measures


def test_events_count_before_and_after_they_are_rolled_up(db: None) -> None:
    record(kind=MeasureKind.OPEN, form_id=1, version=2, ad_id=3)
    record(kind=MeasureKind.SUBMIT, form_id=1, version=2, ad_id=3, whole_visit=True)
    record(kind=MeasureKind.SUBMIT, form_id=1, is_test=True)
    record(kind=MeasureKind.QUESTION, form_id=1, questions=["when"])
    expected = Counts(open=2, start=1, submit=1, test=1)
    assert counts([1]) == {None: expected}
    assert roll_up() == 4
    assert counts([1]) == {None: expected}
    assert counts([1], by="ad_id") == {0: Counts(test=1), 3: Counts(open=2, start=1, submit=1)}
    assert counts([2]) == {}
    assert not MeasureEvent.objects.exists()
    assert MeasureDay.objects.get(kind="question").question == "when"


def test_rolling_up_twice_adds_nothing(db: None) -> None:
    for _round in range(2):
        record(kind=MeasureKind.OPEN, form_id=1)
        roll_up_measures()
        roll_up_measures()
    assert MeasureDay.objects.get().count == 2


@pytest.mark.django_db(transaction=True)
def test_parallel_runs_move_each_event_once() -> None:
    for number in range(120):
        record(kind=MeasureKind.OPEN, form_id=number % 3)
    moved: Counter[int] = Counter()
    start = threading.Barrier(4)

    def run(worker: int) -> None:
        start.wait()
        while batch := roll_up(limit=7):
            moved[worker] += batch
        connection.close()

    workers = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert {form: line.open for form, line in counts([0, 1, 2], by="form_id").items()} == {0: 40, 1: 40, 2: 40}
    assert sum(moved.values()) == 120


def test_seen_questions_count_before_and_after_they_are_rolled_up(db: None) -> None:
    record(kind=MeasureKind.OPEN, form_id=1)
    record(kind=MeasureKind.QUESTION, form_id=1, questions=["name", "email"], ad_id=3)
    record(kind=MeasureKind.QUESTION, form_id=1, questions=["name"])
    record(kind=MeasureKind.QUESTION, form_id=1, questions=["name"], is_test=True)
    record(kind=MeasureKind.QUESTION, form_id=2, questions=["name"])
    expected = {(1, "name"): 2, (1, "email"): 1}
    assert seen_questions([1]) == expected
    roll_up()
    assert seen_questions([1]) == expected
    assert seen_questions([1], ad_ids=[3]) == {(1, "name"): 1, (1, "email"): 1}
    assert counts([1]) == {None: Counts(open=1)}


def test_countries_and_devices_add_up_to_the_total(db: None) -> None:
    for country, device, times in (("DE", "phone", 2), ("DE", "desktop", 1), ("", "", 1)):
        for _time in range(times):
            record(kind=MeasureKind.OPEN, form_id=1, country=country, device=device)
    record(kind=MeasureKind.SUBMIT, form_id=1, country="DE", device="phone")
    for _round in range(2):
        assert counts([1], by="country") == {"DE": Counts(open=3, submit=1), "": Counts(open=1)}
        by_device = counts([1], by="device")
        assert by_device == {"phone": Counts(open=2, submit=1), "desktop": Counts(open=1), "": Counts(open=1)}
        assert sum(by_device.values(), Counts()) == counts([1])[None]
        roll_up()
