"""The blind index: found by whoever holds the library's key, equal nowhere else."""

import pytest
from pytest_django.fixtures import Settings

from leads.vault.keys import forget_keys, make_keys
from leads.vault.models import IndexKey, SearchTerm
from leads.vault.regions import alias_of
from leads.vault.search import DIGEST_BYTES, Term, digest_of, digests_of, fold, terms_of
from tests.world import World, says

EMAIL: Term = ("email", "ann@example.com")


def test_same_address_has_another_digest_in_each_library_and_region(world: World) -> None:
    digests = {
        digest_of(library.pk, region, EMAIL)
        for library in (world.library, world.stranger_library)
        for region in ("eu", "us", "row")
    }
    assert len(digests) == 6
    assert {len(digest) for digest in digests} == {DIGEST_BYTES}


def test_kinds_are_apart(world: World) -> None:
    assert digest_of(world.library.pk, "eu", ("word", "ann")) != digest_of(world.library.pk, "eu", ("email", "ann"))


def test_digest_does_not_depend_on_secret_key(world: World, settings: Settings) -> None:
    before = digest_of(world.library.pk, "eu", EMAIL)
    settings.SECRET_KEY = "another " * 10
    forget_keys()
    assert digest_of(world.library.pk, "eu", EMAIL) == before


def test_changed_index_key_finds_nothing(world: World) -> None:
    lead = world.add_lead(email="ann@example.com")
    terms = SearchTerm.objects.using(alias_of("eu"))
    assert list(terms.filter(digest=digest_of(world.library.pk, "eu", EMAIL)).values_list("lead_id", flat=True)) == [
        lead.pk
    ]
    IndexKey.objects.using(alias_of("eu")).filter(library_id=world.library.pk).delete()
    forget_keys()
    make_keys([world.library.pk])
    assert not terms.filter(digest=digest_of(world.library.pk, "eu", EMAIL)).exists()


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        ("  Ann@Example.COM ", "ann@example.com"),
        ("Échevérría", "echeverria"),
        ("Ｄüｒer", "durer"),
        ("STRASSE", "strasse"),
    ],
)
def test_spelling_does_not_hide_a_lead(typed: str, folded: str) -> None:
    assert fold(typed) == folded


def test_lead_is_found_by_each_of_its_terms(world: World) -> None:
    world.add_lead(name="Zoë van Dijk", email="zoe@example.com", phone="+31612345678")
    terms = terms_of(email="ZOE@example.com", phone="+31612345678", name="zoe VAN dijk")
    assert terms == [
        ("email", "zoe@example.com"),
        ("phone", "+31612345678"),
        ("tail", "345678"),
        ("word", "zoe"),
        ("word", "van"),
        ("word", "dijk"),
    ]
    kept = {bytes(digest) for digest in SearchTerm.objects.using(alias_of("eu")).values_list("digest", flat=True)}
    assert kept == set(digests_of(world.library.pk, "eu", terms))


def test_terms_hold_nothing_in_clear(world: World) -> None:
    world.add_lead(name="Ann Example", email="ann@example.com", phone="+4915112345678")
    for row in SearchTerm.objects.using(alias_of("eu")).values():
        assert not says(repr(row), "ann")
        assert "345678" not in repr(bytes(row["digest"]))
