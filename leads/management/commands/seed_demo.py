import json
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import LeadLibrary
from leads.demo.cast import ACTORS, make_companies, make_people
from leads.demo.history import make_campaigns, make_form, make_leads
from leads.demo.reset import forget_demo
from leads.models import Lead

SHARES = {"brand": 0.7, "agency_run": 0.25, "other": 0.05}
TEAMS = {"brand": ["brand_admin"], "agency_run": ["agency_admin"], "other": ["other_admin"]}
ADMINS = {"brand": "brand_admin", "agency_run": "agency_admin", "other": "other_admin"}


class Command(BaseCommand):
    help = "Make the demo: people, companies, forms, campaigns, leads. Twice changes nothing. Only while DEBUG is on."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--leads", type=int, default=240, help="how many made-up people fill the forms (240)")
        parser.add_argument("--seed", type=int, default=1, help="another number makes other people (1)")
        parser.add_argument("--reset", action="store_true", help="delete the demo's leads first")
        parser.add_argument("--json", action="store_true", help="print logins, tokens and ids as one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make what is missing; print the logins."""
        if not settings.DEBUG:
            raise CommandError("The demo's passwords are no secret: it is made only while DEBUG is on.", returncode=2)
        if not 0 <= options["leads"] <= 1_000_000:
            raise CommandError("--leads takes 0 to 1000000.", returncode=2)
        people = make_people()
        centers, accounts = make_companies(people)
        if options["reset"]:
            forget_demo(list(accounts.values()))
        forms = {key: make_form(key, account, people[ADMINS[key]]) for key, account in accounts.items()}
        self._wanted, self._done = options["leads"], 0
        for key, account in accounts.items():
            ads = make_campaigns(key, account, forms[key], people[ADMINS[key]])
            count = round(options["leads"] * SHARES[key])
            if Lead.objects.filter(form=forms[key]).count() >= count:
                continue
            team = [people[name] for name in TEAMS[key]]
            make_leads(key, forms[key], ads, team, count=count, seed=options["seed"], tick=self._tick)
        self._line("")
        libraries = dict(LeadLibrary.objects.values_list("ad_account_id", "pk"))
        told = {
            "actors": {
                actor.key: {"email": actor.email, "password": actor.password, "token": actor.token}
                for actor in ACTORS.values()
            },
            "business_centers": {key: str(center.pk) for key, center in centers.items()},
            "ad_accounts": {
                key: {"id": str(account.pk), "library_id": str(libraries[account.pk])}
                for key, account in accounts.items()
            },
            "forms": {
                key: {
                    "id": str(form.pk),
                    "public_id": form.public_id,
                    "url": f"{settings.PUBLIC_URL.rstrip('/')}/f/{form.public_id}/",
                }
                for key, form in forms.items()
            },
        }
        if options["json"]:
            self.stdout.write(json.dumps(told, indent=2))
            return
        for actor in ACTORS.values():
            self.stdout.write(f"{actor.key:20} {actor.email:28} {actor.password}")

    def _tick(self) -> None:
        self._done += 1
        if self._done % 100 == 0:
            self._line(f"leads: {self._done} of {self._wanted}")

    def _line(self, text: str) -> None:
        """Show progress on a terminal in place, elsewhere not at all: standard output is for the result."""
        if sys.stderr.isatty():
            self.stderr.write(f"\r{text:40}", ending="")
