import pytest

from leadscenter.lib import envelope

AAD = [b"answers/1", b"42", b"eu", b"7"]


def test_a_record_opens_with_its_key_and_its_place() -> None:
    key = envelope.new_key()
    record = envelope.seal_record(key, 2**63 + 5, b"secret", AAD)
    assert record[0] == 1
    assert envelope.key_id_of(record) == 2**63 + 5
    assert len(record) == envelope.OVERHEAD + 6
    assert b"secret" not in record
    assert envelope.open_record(key, record, AAD) == b"secret"


def test_the_same_text_never_gives_the_same_record() -> None:
    key = envelope.new_key()
    assert len({envelope.seal_record(key, 1, b"secret", AAD) for _ in range(50)}) == 50


@pytest.mark.parametrize(
    "aad",
    [
        [b"answers/1", b"43", b"eu", b"7"],
        [b"answers/14", b"2", b"eu", b"7"],
        [b"answers/1", b"42", b"eu", b"7", b""],
        [b"note/1", b"42", b"eu", b"7"],
        [],
    ],
)
def test_a_record_moved_to_another_place_does_not_open(aad: list[bytes]) -> None:
    key = envelope.new_key()
    with pytest.raises(envelope.Tampered):
        envelope.open_record(key, envelope.seal_record(key, 1, b"secret", AAD), aad)


def test_every_changed_byte_behind_the_key_number_is_noticed() -> None:
    key = envelope.new_key()
    record = envelope.seal_record(key, 1, b"secret", AAD)
    for position in [0, *range(9, len(record))]:
        changed = record[:position] + bytes([record[position] ^ 1]) + record[position + 1 :]
        with pytest.raises(envelope.Tampered):
            envelope.open_record(key, changed, AAD)


def test_another_key_and_a_cut_record_are_refused() -> None:
    key = envelope.new_key()
    record = envelope.seal_record(key, 1, b"", AAD)
    assert envelope.open_record(key, record, AAD) == b""
    for wrong in [b"", record[:-1], b"\x02" + record[1:]]:
        with pytest.raises(envelope.Tampered):
            envelope.open_record(key, wrong, AAD)
    with pytest.raises(envelope.Tampered):
        envelope.open_record(envelope.new_key(), record, AAD)
