import os
import secrets
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from leadscenter.lib import ids


def test_an_id_is_a_positive_number_of_63_bits_that_holds_its_millisecond() -> None:
    before = time.time_ns() // 1_000_000
    (made,) = ids._Sequence().take(1)
    after = time.time_ns() // 1_000_000
    assert 0 < made < 1 << 63
    assert before <= (made >> 22) + ids.EPOCH_MS <= after


def test_ids_of_many_threads_in_the_same_milliseconds_are_all_different() -> None:
    with ThreadPoolExecutor(8) as pool:
        made = [i for block in pool.map(lambda _: [ids.new_id() for _ in range(5000)], range(8)) for i in block]
    assert len(set(made)) == 40_000


def test_ids_rise_even_when_the_clock_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    first = ids.new_id()
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now - 60_000_000_000)
    later = ids.new_ids(3)
    assert [first, *later] == sorted({first, *later})


def test_a_full_millisecond_borrows_from_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "randbelow", lambda _limit: ids.COUNTER_LIMIT - 1)
    sequence = ids._Sequence()
    made = sequence.take(4)
    assert made == sorted(set(made))
    assert [number >> 22 for number in made] == [(made[0] >> 22) + step for step in range(4)]


def test_a_forked_child_does_not_repeat_its_parents_ids() -> None:
    ids.new_id()
    now = time.time_ns()
    read, write = os.pipe()
    child = os.fork()
    # The clock stands still on both sides, so that only the random start can tell them apart.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time_ns", lambda: now + 10_000_000_000)
        made = ids.new_ids(50)
        if child == 0:
            os.write(write, ",".join(map(str, made)).encode())
            os._exit(0)
    ids._sequence.start_afresh()
    os.waitpid(child, 0)
    theirs = {int(text) for text in os.read(read, 65536).split(b",")}
    os.close(read)
    os.close(write)
    assert len(theirs) == 50
    assert theirs.isdisjoint(made)


def test_new_ids_refuses_a_negative_count() -> None:
    assert ids.new_ids(0) == []
    with pytest.raises(ValueError, match="negative"):
        ids.new_ids(-1)


def test_a_public_id_is_ten_letters_and_digits() -> None:
    made = {ids.public_id() for _ in range(200)}
    assert len(made) == 200
    assert all(len(text) == 10 and set(text) <= set(ids.PUBLIC_ALPHABET) for text in made)


def test_an_id_field_is_a_primary_key_with_ids_of_ours() -> None:
    field = ids.IdField()
    assert (field.primary_key, field.default, field.editable) == (True, ids.new_id, False)
    _, path, _, kwargs = field.clone().deconstruct()
    assert path == "leadscenter.lib.ids.IdField"
    assert kwargs == {}


def test_reserved_ids_follow_each_other_and_nobody_else_gets_them() -> None:
    first = ids.reserve_ids(1000)
    later = ids.new_ids(5)
    assert min(later) >= first + 1000


def test_reserved_ids_do_not_cross_a_millisecond(monkeypatch: pytest.MonkeyPatch) -> None:
    sequence = ids._Sequence()
    sequence.take(1)
    sequence._millisecond += 60_000  # a clock that was set back: nothing advances by itself
    sequence._counter = ids.COUNTER_LIMIT - 3
    before = sequence._millisecond
    first = sequence.reserve(10)
    assert first >> ids.COUNTER_BITS == (first + 9) >> ids.COUNTER_BITS == before + 1
    assert sequence.reserve(10) == first + 10
