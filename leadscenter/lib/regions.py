"""Which region a person belongs to: one table of countries, asked in a fixed order of evidence.

"eu" is the European Economic Area with Switzerland and the United Kingdom, and the territories whose data-protection
law is theirs; "us" the United States with its territories; "row" the rest of the world. Evidence: the declared country,
else the country of the telephone number, else a hint from the network.
"""

from phonenumbers import SUPPORTED_REGIONS, NumberParseException, parse, region_code_for_number

REGIONS = ("eu", "us", "row")

_EU_MEMBERS = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
_EEA_AND_NEIGHBOURS = "IS LI NO CH GB"
_EU_TERRITORIES = "AX BL GF GP MF MQ RE YT"
_UK_TERRITORIES = "GG GI IM JE"
_US_AND_TERRITORIES = "US AS GU MP PR UM VI"
_WITHOUT_TELEPHONES = "AQ BV GS HM PN TF UM"

EU_COUNTRIES = frozenset(f"{_EU_MEMBERS} {_EEA_AND_NEIGHBOURS} {_EU_TERRITORIES} {_UK_TERRITORIES}".split())
US_COUNTRIES = frozenset(_US_AND_TERRITORIES.split())
COUNTRIES = frozenset(SUPPORTED_REGIONS) | EU_COUNTRIES | US_COUNTRIES | frozenset(_WITHOUT_TELEPHONES.split())


def region_of(country: str | None, phone_e164: str | None, hint: str | None) -> str:
    """The region by the first evidence that names a country; "row" when none does.

    `country` and `hint` are ISO 3166-1 alpha-2 in any case; `phone_e164` begins with "+".
    """
    for evidence in (_known(country), _known(_country_of_phone(phone_e164)), _known(hint)):
        if evidence:
            return _region_of_country(evidence)
    return "row"


def _region_of_country(country: str) -> str:
    if country in EU_COUNTRIES:
        return "eu"
    return "us" if country in US_COUNTRIES else "row"


def _known(country: str | None) -> str | None:
    code = (country or "").strip().upper()
    return code if code in COUNTRIES else None


def _country_of_phone(phone_e164: str | None) -> str | None:
    if not phone_e164:
        return None
    try:
        return region_code_for_number(parse(phone_e164))
    except NumberParseException:
        return None
