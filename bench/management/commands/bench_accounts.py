import json
import time
from typing import Any

from django.contrib.auth.hashers import make_password
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection, transaction

from accounts.access import Can, derive, holders, lock_libraries
from accounts.models import AccountMembership, AccountRole, AdAccount, BusinessCenterRole, LeadLibrary, User
from accounts.services.business_centers import set_member

ROLES = (AccountRole.OPERATOR, AccountRole.ANALYST, AccountRole.ADMINISTRATOR)
PER_PERSON = 3


class Command(BaseCommand):
    help = "Grow a library's Business Center to so many ad accounts and people; its Administrator is in each account."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("library", type=int)
        parser.add_argument("accounts", type=int)
        parser.add_argument("people", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        """Add what is missing, and print how long it takes to make somebody Admin of the Business Center."""
        library = LeadLibrary.objects.select_related("ad_account__business_center").get(pk=options["library"])
        center = library.ad_account.business_center
        administrator = holders(library, Can.VIEW_LEADS).order_by("pk")[0]
        there = AdAccount.objects.filter(business_center=center).count()
        new = [AdAccount(name=f"Account {n}", business_center=center) for n in range(there, options["accounts"])]
        AdAccount.objects.bulk_create(new, batch_size=500)
        LeadLibrary.objects.bulk_create(
            [LeadLibrary(ad_account=each, custodian=center) for each in new], batch_size=500
        )
        known = User.objects.filter(email__endswith="@bench.example").count()
        unusable = make_password(None)
        people = [User(email=f"person{n}@bench.example", password=unusable) for n in range(known, options["people"])]
        User.objects.bulk_create(people, batch_size=500)
        memberships = [AccountMembership(ad_account=each, user=administrator, role=ROLES[2]) for each in new]
        for number, user in enumerate(people):
            for step in range(min(PER_PERSON, len(new))):
                account = new[(number + step * 7) % len(new)]
                memberships.append(AccountMembership(ad_account=account, user=user, role=ROLES[number % 3]))
        AccountMembership.objects.bulk_create(memberships, batch_size=500, ignore_conflicts=True)
        with transaction.atomic():
            derive(lock_libraries(LeadLibrary.objects.filter(ad_account__business_center=center)))
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        boss = center.members.get(role=BusinessCenterRole.ADMIN).user
        late = people[0]
        set_member(actor=boss, business_center=center, user=late, role=BusinessCenterRole.STANDARD)
        started = time.perf_counter()
        set_member(actor=boss, business_center=center, user=late, role=BusinessCenterRole.ADMIN)
        spent = (time.perf_counter() - started) * 1000
        set_member(actor=boss, business_center=center, user=late, role=None)
        self.stdout.write(json.dumps({"admin_ms": spent, "accounts": there + len(new), "people": known + len(people)}))
