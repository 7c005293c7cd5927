"""Questions whose SQL is written once: the same rows as the ORM's, for other ids, and nothing written into the SQL."""

import pytest
from django.db.models import F

from accounts.models import LeadLibraryUserPermission, User
from leadscenter.lib.prepared import Prepared, together
from tests.counting import statements
from tests.world import World

RIGHTS = Prepared(
    lambda user, library: LeadLibraryUserPermission.objects.filter(user=user, content_object=library).values_list(
        "permission__codename"
    ),
    ids=2,
)
PEOPLE = Prepared(lambda pk: User.objects.filter(pk=pk).annotate(called=F("name")), ids=1)


def held(world: World, user: User) -> set[str]:
    rows = LeadLibraryUserPermission.objects.filter(user=user, content_object=world.library)
    return set(rows.values_list("permission__codename", flat=True))


def test_rows_are_those_of_the_orm_for_each_id(world: World) -> None:
    for user in (world.administrator, world.operator, world.administrator):
        found = {codename for (codename,) in RIGHTS.rows(user.pk, world.library.pk)}
        assert found == held(world, user)
    assert held(world, world.administrator) != held(world, world.operator)
    assert RIGHTS.rows(world.administrator.pk, world.administrator.pk) == []


def test_objects_have_their_fields_and_annotations(world: World) -> None:
    (found,) = PEOPLE.objects(world.operator.pk)
    assert (found, found.email, found.created_at) == (world.operator, world.operator.email, world.operator.created_at)
    assert vars(found)["called"] == world.operator.name
    assert PEOPLE.objects(1) == []


def test_several_are_asked_by_one_statement(world: World) -> None:
    users = (world.administrator, world.operator)
    with statements() as asked:
        found = together(*((RIGHTS, (user.pk, world.library.pk)) for user in users))
    assert [{codename for (codename,) in rows} for rows in found] == [held(world, user) for user in users]
    assert len(asked) == 1


def test_one_id_may_stand_in_several_places(world: World) -> None:
    twice = Prepared(lambda pk: User.objects.filter(pk=pk).exclude(name="Nobody").filter(pk__gte=pk), ids=1)
    assert twice.objects(world.operator.pk) == [world.operator]


def test_an_id_that_is_no_parameter_is_refused(world: World) -> None:
    forgetful = Prepared(lambda user, library: LeadLibraryUserPermission.objects.filter(user=user), ids=2)
    with pytest.raises(AssertionError, match="into the SQL"):
        forgetful.objects(world.operator.pk, world.library.pk)
