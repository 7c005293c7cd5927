"""People: one address each, and the sign-in package's rows say the same as the person."""

import pytest
from allauth.account.models import EmailAddress

from accounts.models import User
from accounts.refusals import Invalid
from accounts.services.people import create_person, verify_address


def addresses(user: User) -> list[tuple[str, bool, bool]]:
    return list(EmailAddress.objects.filter(user=user).values_list("email", "verified", "primary"))


def test_a_new_person_has_one_verified_address(db: None) -> None:
    user = create_person(email=" Una@House.test ", name="Una", password="a-long-password")
    assert (user.email, user.name, user.check_password("a-long-password")) == ("una@house.test", "Una", True)
    assert addresses(user) == [("una@house.test", True, True)]


def test_without_a_password_no_password_fits(db: None) -> None:
    assert not create_person(email="una@house.test").has_usable_password()


def test_an_address_that_somebody_has_is_refused_and_nothing_is_made(db: None) -> None:
    create_person(email="una@house.test")
    with pytest.raises(Invalid) as raised:
        create_person(email="UNA@house.test", password="another-password")
    assert list(raised.value.errors) == ["email"]
    assert User.objects.count() == EmailAddress.objects.count() == 1


def test_the_row_follows_the_person(db: None) -> None:
    user = create_person(email="una@house.test")
    User.objects.filter(pk=user.pk).update(email="new@house.test")
    user.refresh_from_db()
    verify_address(user=user)
    verify_address(user=user)
    assert addresses(user) == [("new@house.test", True, True)]
