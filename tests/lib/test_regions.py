import pytest

from leadscenter.lib.regions import COUNTRIES, EU_COUNTRIES, REGIONS, US_COUNTRIES, region_of


@pytest.mark.parametrize(
    ("country", "phone", "hint", "region"),
    [
        ("DE", None, None, "eu"),
        ("de ", "+14155550100", "US", "eu"),
        ("NO", None, None, "eu"),
        ("CH", None, None, "eu"),
        ("GB", None, None, "eu"),
        ("US", "+4930123456", "DE", "us"),
        ("PR", None, None, "us"),
        ("JP", "+4930123456", None, "row"),
        (None, "+4930123456", "US", "eu"),
        (None, "+14155552671", "DE", "us"),
        (None, "+14165550123", "US", "row"),
        (None, "+819012345678", "US", "row"),
        (None, "+447911123456", None, "eu"),
        (None, None, "FR", "eu"),
        (None, None, "BR", "row"),
        ("XX", "+4930123456", None, "eu"),
        ("ZZ", "not a number", "US", "us"),
        ("", "", "", "row"),
        (None, "+80012345678", "US", "us"),
        (None, None, None, "row"),
        ("Germany", None, "US", "us"),
    ],
)
def test_the_first_evidence_that_names_a_country_decides(
    country: str | None, phone: str | None, hint: str | None, region: str
) -> None:
    assert region_of(country, phone, hint) == region


def test_the_thirty_countries_of_the_economic_area_and_two_neighbours_are_eu() -> None:
    members = {"AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE"}
    members |= {"IT", "LV", "LT", "LU", "MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE"}
    economic_area = members | {"IS", "LI", "NO"}
    assert len(economic_area) == 30
    assert {region_of(code, None, None) for code in economic_area | {"CH", "GB"}} == {"eu"}


def test_every_country_has_one_region() -> None:
    assert EU_COUNTRIES.isdisjoint(US_COUNTRIES)
    assert {region_of(code, None, None) for code in COUNTRIES} == set(REGIONS)
