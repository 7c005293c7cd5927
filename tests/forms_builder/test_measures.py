"""Counts: events count at once, are moved into days exactly once, and survive beside a second run."""

import threading
from collections import Counter

import pytest
from django.db import connection

from forms_builder.measures import Counts, counts, record, roll_up
from forms_builder.models import MeasureDay, MeasureEvent, MeasureKind
from forms_builder.tasks import roll_up_measures


def test_events_count_before_and_after_they_are_rolled_up(db: None) -> None:
    record(kind=MeasureKind.OPEN, form_id=1, version=2, ad_id=3)
    record(kind=MeasureKind.SUBMIT, form_id=1, version=2, ad_id=3, whole_visit=True)
    record(kind=MeasureKind.SUBMIT, form_id=1, is_test=True)
    record(kind=MeasureKind.QUESTION, form_id=1, question="when")
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
