"""Sealed values: the frozen format, what they are bound to, and that nothing opens by accident."""

import base64
import json
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import connections, transaction
from django.template import Context, Template
from django_cryptography.fields import EncryptedMixin

from leads.models import Lead
from leads.vault.fields import SealedField
from leads.vault.keys import KeyGone, current_data_key, forget_keys, make_keys
from leads.vault.models import Credential, DataKey, Note, ResponseExcerpt, SealedAnswers
from leads.vault.opening import Purpose
from leads.vault.opening import open as open_sealed
from leads.vault.regions import RegionMissing, alias_of
from leads.vault.sealing import additional_data, seal
from leads.vault.values import Owner, Plain, Sealed, SealName
from leadscenter.lib.envelope import Tampered, key_id_of, open_record
from tests.world import World

HERE = Owner(library_id=7, region="eu", row_id=42)
FROZEN = bytes.fromhex(
    "01"  # version
    "0000000000000005"  # key id
    "000102030405060708090a0b"  # nonce
    "3c20b739ffd4bf206d4a7426fbd8295d03d41e58d3e17a"  # {"a":1} and its tag
)


def answers_of(lead: Lead) -> SealedAnswers:
    return SealedAnswers.objects.using(alias_of(lead.region)).get(pk=lead.pk)


def opened(row: SealedAnswers) -> str:
    found: str = open_sealed(row.sealed, Purpose.DISCLOSE)["answers"][0][2]
    return found


# ---- known answers: what is stored today must open for ever ----------------------------------------------------------


def test_record_is_as_described() -> None:
    """Made by hand, not by our code: version, key id, nonce, AES-256-GCM over length-prefixed parts."""
    parts = [b"answers/1", b"5", b"7", b"eu", b"42"]
    aad = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    nonce, key = bytes(range(12)), bytes(range(32))
    record = b"\x01" + (5).to_bytes(8, "big") + nonce + AESGCM(key).encrypt(nonce, b'{"a":1}', aad)
    assert record == FROZEN
    assert additional_data("answers/1", 5, HERE) == tuple(parts)


def test_frozen_record_opens() -> None:
    assert open_record(bytes(range(32)), FROZEN, additional_data("answers/1", 5, HERE)) == b'{"a":1}'


# ---- what a record is bound to ---------------------------------------------------------------------------------------


def test_answers_open_at_their_place(world: World) -> None:
    lead = world.add_lead(name="Ann Example")
    row = answers_of(lead)
    assert opened(row) == "Ann Example"
    assert b"Ann" not in row.sealed.record


MOVES: dict[str, Callable[[Sealed], Sealed]] = {
    "another row": lambda sealed: replace(sealed, owner=replace(sealed.owner, row_id=sealed.owner.row_id + 1)),
    "another library": lambda sealed: replace(sealed, owner=replace(sealed.owner, library_id=1)),
    "another name": lambda sealed: replace(sealed, name="note/1"),
}


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_record_moved_elsewhere_does_not_open_and_alarms(
    world: World, move: Callable[[Sealed], Sealed], caplog: pytest.LogCaptureFixture
) -> None:
    sealed = answers_of(world.add_lead(name="Ann Example")).sealed
    with caplog.at_level(logging.ERROR, "leadscenter.security"), pytest.raises(Tampered):
        open_sealed(move(sealed), Purpose.DISCLOSE)
    [alarm] = [record for record in caplog.records if record.name == "leadscenter.security"]
    assert alarm.getMessage() == "a sealed value does not open"
    assert "Ann" not in str(alarm.__dict__)


def test_record_moved_to_another_region_does_not_open(world: World) -> None:
    sealed = answers_of(world.add_lead(region="eu")).sealed
    elsewhere = replace(sealed, owner=replace(sealed.owner, region="us"))
    with pytest.raises((Tampered, KeyGone)):  # in one database the key is found and the binding refuses
        open_sealed(elsewhere, Purpose.DISCLOSE)


def test_record_under_the_number_of_another_key_does_not_open(world: World) -> None:
    """Key version: the newer month's key is named on a record of the older one."""
    sealed = answers_of(world.add_lead()).sealed
    make_keys([world.library.pk], months=[date(2025, 2, 1)])
    keys = DataKey.objects.using(alias_of("eu")).filter(library_id=world.library.pk, region="eu")
    other = keys.exclude(pk=key_id_of(sealed.record)).values_list("pk", flat=True)[0]
    renamed = sealed.record[:1] + other.to_bytes(8, "big") + sealed.record[9:]
    with pytest.raises(Tampered):
        open_sealed(replace(sealed, record=renamed), Purpose.DISCLOSE)
    unknown = sealed.record[:1] + (1).to_bytes(8, "big") + sealed.record[9:]
    with pytest.raises(KeyGone):
        open_sealed(replace(sealed, record=unknown), Purpose.DISCLOSE)


def test_two_rows_swapped_in_the_database_do_not_open(world: World) -> None:
    one, other = world.add_lead(name="Ann Example"), world.add_lead(name="Bob Example", email="bob@example.com")
    rows = SealedAnswers.objects.using(alias_of("eu"))
    records = {lead.pk: rows.get(pk=lead.pk).sealed.record for lead in (one, other)}
    rows.filter(pk=one.pk).update(sealed=records[other.pk])
    rows.filter(pk=other.pk).update(sealed=records[one.pk])
    for lead in (one, other):
        with pytest.raises(Tampered):
            open_sealed(answers_of(lead).sealed, Purpose.DISCLOSE)


def test_row_given_to_another_library_does_not_open(world: World) -> None:
    lead = world.add_lead()
    SealedAnswers.objects.using(alias_of("eu")).filter(pk=lead.pk).update(library_id=world.stranger_library.pk)
    with pytest.raises(Tampered):
        open_sealed(answers_of(lead).sealed, Purpose.DISCLOSE)


def test_every_flipped_bit_is_noticed(world: World) -> None:
    sealed = answers_of(world.add_lead()).sealed
    record = sealed.record
    for place in range(len(record)):
        flipped = record[:place] + bytes([record[place] ^ (1 << place % 8)]) + record[place + 1 :]
        with pytest.raises((Tampered, KeyGone)):
            open_sealed(replace(sealed, record=flipped), Purpose.DISCLOSE)
    for cut in (0, 1, 8, 20, len(record) - 1):
        with pytest.raises(Tampered):
            open_sealed(replace(sealed, record=record[:cut]), Purpose.DISCLOSE)


def test_answers_of_two_libraries_are_sealed_under_different_keys(world: World) -> None:
    world.add_lead()
    world.add_lead(library=world.stranger_library)
    here, there = (current_data_key(library.pk, "eu") for library in (world.library, world.stranger_library))
    assert here[0] != there[0]
    assert here[1] != there[1]
    assert len(here[1]) == 32


# ---- the field -------------------------------------------------------------------------------------------------------


def note(world: World, text: str = "call at nine") -> Note:
    row = Note(
        lead_id=1, library_id=world.library.pk, region="eu", author_id=world.administrator.pk, sealed=Plain(text)
    )
    row.save(using=alias_of("eu"))
    return Note.objects.using(alias_of("eu")).get(pk=row.pk)


def test_field_is_built_on_the_mixin_of_django_cryptography() -> None:
    assert issubclass(SealedField, EncryptedMixin)
    for model, name in (
        (SealedAnswers, "answers/1"),
        (Note, "note/1"),
        (Credential, "credential/1"),
        (ResponseExcerpt, "excerpt/1"),
    ):
        field = model._meta.get_field("sealed")
        assert isinstance(field, SealedField)
        assert field.seal_name == name  # frozen text: renaming a model must not lock anybody out


def test_field_seals_on_save_and_gives_back_no_text(world: World) -> None:
    row = note(world)
    assert isinstance(row.sealed, Sealed)
    assert open_sealed(row.sealed, Purpose.DISCLOSE) == "call at nine"
    with connections[alias_of("eu")].cursor() as cursor:
        cursor.execute("SELECT sealed FROM vault_note WHERE id = %s", [row.pk])
        stored = bytes(cursor.fetchone()[0])
    assert b"nine" not in stored
    assert stored == row.sealed.record


PLAIN: dict[str, object] = {
    "text": "call at ten",
    "bytes": b"call at ten",
    "object": {"a": 1},
    "number": 7,
    "unsealed": Plain("call at ten"),
}


def refused_closed(write: Callable[[], object]) -> None:
    with pytest.raises((TypeError, Tampered)), transaction.atomic(using=alias_of("eu")):
        write()


@pytest.mark.parametrize("plain", PLAIN.values(), ids=PLAIN)
def test_update_with_anything_unsealed_fails_closed(world: World, plain: object) -> None:
    row = note(world)
    refused_closed(lambda: Note.objects.using(alias_of("eu")).filter(pk=row.pk).update(sealed=plain))
    assert open_sealed(note_again(row).sealed, Purpose.DISCLOSE) == "call at nine"


@pytest.mark.parametrize("plain", ["call at ten", b"call at ten", 7], ids=["text", "bytes", "number"])
def test_writing_in_bulk_or_saving_with_plain_text_fails_closed(world: World, plain: object) -> None:
    row = note(world)
    fresh = Note(lead_id=1, library_id=world.library.pk, region="eu", author_id=1, sealed=plain)
    row.sealed = plain
    notes = Note.objects.using(alias_of("eu"))
    refused_closed(lambda: notes.bulk_update([row], ["sealed"]))
    refused_closed(lambda: notes.bulk_create([fresh]))
    refused_closed(lambda: fresh.save(using=alias_of("eu")))
    assert notes.count() == 1
    assert open_sealed(note_again(row).sealed, Purpose.DISCLOSE) == "call at nine"


def note_again(row: Note) -> Note:
    return Note.objects.using(alias_of("eu")).get(pk=row.pk)


def test_sealed_and_plain_show_nothing(world: World) -> None:
    row = note(world)
    template = Template("{{ note.sealed }} {{ note }} {{ plain }}")
    shown = template.render(Context({"note": row, "plain": Plain("nine")}))
    for text in (repr(row.sealed), str(row.sealed), f"{row.sealed}", shown, repr(Plain("nine")), str(Plain("nine"))):
        assert "nine" not in text
    assert str(row.sealed) == "•••"
    assert repr(row.sealed) == f"<Sealed note/1 of {row.pk}>"
    assert shown == f"••• note {row.pk} •••"
    assert base64.b64encode(row.sealed.record).decode() not in shown
    with pytest.raises(TypeError):
        json.dumps(row.sealed)


@pytest.mark.parametrize("name", ["answers/1", "note/1", "credential/1", "excerpt/1"])
def test_same_value_never_gives_the_same_record(world: World, name: SealName) -> None:
    owner = Owner(world.library.pk, "eu", 1)
    assert len({seal(name, owner, "same") for _ in range(20)}) == 20


# ---- regions ---------------------------------------------------------------------------------------------------------


def test_vault_query_without_a_region_does_not_run(world: World) -> None:
    lead = world.add_lead()
    for query in (
        lambda: SealedAnswers.objects.get(pk=lead.pk),
        lambda: SealedAnswers.objects.filter(pk=lead.pk).delete(),
        lambda: list(Note.objects.all()),
        lambda: Note.objects.filter(pk=1).update(lead_id=2),
        lambda: Note.objects.create(lead_id=1, library_id=1, region="xx", author_id=1, sealed=Plain("x")),
    ):
        with pytest.raises((RegionMissing, KeyError)):
            query()


@pytest.mark.parametrize("region", ["eu", "us", "row"])
def test_lead_of_each_region_lies_in_its_regions_database(world: World, region: str) -> None:
    lead = world.add_lead(region=region)
    row = SealedAnswers.objects.using(alias_of(region)).get(pk=lead.pk)
    assert row.region == lead.region == region
    assert opened(row) == "Ann Example"


def test_no_foreign_key_crosses_the_border_of_the_vault() -> None:
    from django.apps import apps  # noqa: PLC0415  # beside what it walks

    crossing = [
        f"{model.__name__}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if field.is_relation
        and field.related_model
        and (model._meta.app_label == "vault") != (field.related_model._meta.app_label == "vault")
    ]
    assert crossing == []


# ---- keys that are gone ----------------------------------------------------------------------------------------------


def test_destroyed_data_key_leaves_its_rows_unreadable(world: World) -> None:
    sealed = answers_of(world.add_lead()).sealed
    assert open_sealed(sealed, Purpose.DISCLOSE)
    DataKey.objects.using(alias_of("eu")).filter(pk=key_id_of(sealed.record)).delete()
    forget_keys()
    with pytest.raises(KeyGone):
        open_sealed(sealed, Purpose.DISCLOSE)
