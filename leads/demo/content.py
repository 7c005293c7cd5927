"""What the demo's forms ask and its campaigns advertise."""

from typing import Any

from forms_builder.schema import Consent, Disclaimer, Ending, FormContent, Option, Question

FORMS: dict[str, tuple[str, FormContent]] = {
    "brand": (
        "Larkspur Solar US",
        FormContent(
            headline="Get a home solar quote",
            text="Tell us about your roof. One of our planners calls you within a day.",
            questions=(
                Question("name", "name", "Name"),
                Question("email", "email", "E-mail"),
                Question("phone_number", "phone_number", "Phone number", required=False),
                Question("country", "country", "Country", required=False),
                Question(
                    "install_when",
                    "multiple_choice",
                    "When would you like to install?",
                    hint="It decides who calls you first.",
                    options=(
                        Option("asap", "As soon as possible"),
                        Option("within_3_months", "Within 3 months"),
                        Option("later", "Later this year"),
                        Option("looking", "I am only looking"),
                    ),
                ),
                Question("anything_else", "short_answer", "Anything we should know?", required=False),
            ),
            privacy_policy_url="https://larkspur.example/privacy",
            disclaimer=Disclaimer(
                title="Your consent",
                text="Larkspur Solar keeps your answers for 90 days. You can see or delete them at any time.",
                consents=(
                    Consent(
                        "contact", "Larkspur Solar may contact me by phone or e-mail about this quote.", required=True
                    ),
                    Consent("offers", "Send me offers on batteries and heat pumps."),
                ),
            ),
            ending=Ending(headline="Thank you", text="A planner will call you within a day."),
            country="US",
        ),
    ),
    "agency_run": (
        "Halden Bikes Europe",
        FormContent(
            headline="Book a test ride",
            questions=(
                Question("first_name", "first_name", "First name"),
                Question("last_name", "last_name", "Last name"),
                Question("email", "email", "E-mail"),
                Question("phone_number", "phone_number", "Phone number", required=False),
                Question("city", "city", "City", required=False),
            ),
            privacy_policy_url="https://halden.example/privacy",
            disclaimer=Disclaimer(
                title="Your consent",
                consents=(Consent("contact", "Halden Bikes may contact me about a test ride.", required=True),),
            ),
            ending=Ending(headline="See you soon", text="We write to you with a time and a place."),
            country="DE",
        ),
    ),
    "other": (
        "Quarry Tiles",
        FormContent(
            headline="Order a free sample",
            questions=(Question("name", "name", "Name"), Question("email", "email", "E-mail")),
            privacy_policy_url="https://quarry.example/privacy",
            ending=Ending(headline="On its way", text="Your sample leaves us tomorrow."),
        ),
    ),
}

CAMPAIGNS: dict[str, list[tuple[str, list[tuple[str, list[str]]]]]] = {
    "brand": [
        (
            "Rooftop quotes – Southwest",
            [
                ("Homeowners 35+", ["Phoenix – video 15 s", "Southwest – carousel B"]),
                ("New movers", ["Tucson – static"]),
            ],
        ),
        ("Battery add-on – retrofit", [("Solar owners", ["Retrofit – video 30 s"])]),
        ("Winter bill check", [("High bills", ["Bill check – static"])]),
    ],
    "agency_run": [("Spring test rides", [("City riders", ["Berlin – video", "Utrecht – video"])])],
    "other": [("Samples", [("Renovators", ["Sample box"])])],
}

FIRST_NAMES = (
    "Amara",
    "Owen",
    "Hanneke",
    "Priya",
    "Jonah",
    "Callum",
    "Ottilie",
    "Mateo",
    "Samira",
    "Lucia",
    "Tobias",
    "Grace",
    "Wen",
    "Ayumi",
    "Bashir",
    "Clara",
    "Dmitri",
    "Elif",
    "Farid",
    "Gwen",
    "Hugo",
    "Imani",
    "Jasper",
    "Keiko",
    "Leila",
    "Marco",
    "Nadia",
    "Oskar",
    "Paloma",
    "Quentin",
    "Rosa",
    "Stefan",
    "Tariq",
    "Uma",
    "Viktor",
    "Willa",
    "Yusuf",
    "Zoe",
)
LAST_NAMES = (
    "Lindqvist",
    "Castellanos",
    "Boer",
    "Nandakumar",
    "Whitfield",
    "Strand",
    "Marsh",
    "Echeverría",
    "Haddad",
    "Ferrante",
    "Renner",
    "Adeyemi",
    "Li",
    "Sato",
    "Okafor",
    "Bergmann",
    "Volkov",
    "Yilmaz",
    "Aziz",
    "Powell",
    "Moreau",
    "Njoroge",
    "Thorne",
    "Ito",
    "Karimi",
    "Bianchi",
    "Petrova",
    "Dahl",
    "Vega",
    "Rousseau",
    "Santos",
    "Weiss",
)
COUNTRIES = ("US", "US", "US", "US", "DE", "FR", "GB", "BR", "JP")
PHONES = {
    "US": "+1 602 555 0{:03d}",
    "DE": "+49 30 2312 5{:03d}",
    "FR": "+33 1 99 00 0{:03d}",
    "GB": "+44 20 7946 0{:03d}",
    "BR": "+55 11 5555 0{:03d}",
    "JP": "+81 3 5555 0{:03d}",
}


def answers_of(form: str, first: str, last: str, country: str, number: int, choice: int) -> dict[str, Any]:
    """Return what one made-up person answers to the demo form."""
    email = f"{first}.{last}{number}@example.com".lower().replace("í", "i").encode("ascii", "ignore").decode()
    common = {"email": email}
    if form == "other":
        return common | {"name": f"{first} {last}"}
    common |= {"phone_number": PHONES[country].format(number % 1000)}
    if form == "agency_run":
        return common | {"first_name": first, "last_name": last, "city": ("Berlin", "Utrecht", "Gent")[choice % 3]}
    when = ("asap", "within_3_months", "later", "looking")[choice % 4]
    return common | {"name": f"{first} {last}", "country": country, "install_when": when}
