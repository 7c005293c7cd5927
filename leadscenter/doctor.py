"""Is this installation well? Each check returns what is wrong with what to do about it, or nothing.

The checks touch what they ask about: a query, a ping, an unwrapped key, an opened mail connection. None of them
changes anything.
"""

import io
import smtplib
import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import redis
from django.conf import settings
from django.core.mail import get_connection
from django.core.management import call_command
from django.db import DatabaseError, connections
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Min
from django.db.models.functions import Now

from accounts.models import LeadLibrary, UnsealedEvent
from leads.exports.services import asking as exports
from leads.imports.services import asking as imports
from leads.models import Delivery, Export, Import
from leads.vault import keyring
from leads.vault.keys import month_of, today
from leads.vault.models import DataKey, IndexKey, IngestKey
from leads.vault.regions import alias_of
from leadscenter.environment import SQLITE, Database
from leadscenter.lib.regions import REGIONS

CLOCK_TOLERANCE = timedelta(seconds=5)
LATE = timedelta(seconds=60)


@dataclass(frozen=True)
class Check:
    """One question: `ask` returns the complaints, each with what to do; an empty list is good."""

    name: str
    ask: Callable[[], list[str]]
    well: str


def database() -> list[str]:
    """The main database answers and is as new as the code."""
    return complaints_about("default")


def regions() -> list[str]:
    """Each region's database answers and is as new as the code."""
    found = []
    for region in REGIONS:
        if alias_of(region) != "default":
            found += [f"region {region}: {complaint}" for complaint in complaints_about(alias_of(region))]
    return found


def complaints_about(alias: str) -> list[str]:
    """What is wrong with one database."""
    try:
        executor = MigrationExecutor(connections[alias])
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        return [f"{alias} does not answer ({type(error).__name__}). Start it, or mend its URL."]
    if missing:
        return [f"{alias} lacks {len(missing)} migrations. Run: manage.py migrate --database {alias}"]
    return []


def broker() -> list[str]:
    """Redis answers; without one, the broker is a folder."""
    if not settings.REDIS_URL:
        return [] if settings.DEBUG else ["there is none. Set REDIS_URL: files are for trying things out only."]
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)
    try:
        client.ping()
    except redis.RedisError as error:
        return [f"it does not answer ({type(error).__name__}). Start Redis, or mend REDIS_URL. Forms still take leads."]
    finally:
        client.close()
    return []


def key_ring() -> list[str]:
    """The key file is safe where it is, and opens every key that stands in the databases."""
    try:
        ids = {key.id for key in keyring.wrapping_keys()}
    except keyring.KeyUnavailable as error:
        return [str(error)]
    found = where_the_key_file_is(settings.DATABASES)
    for model in (DataKey, IndexKey, IngestKey):
        kind = model._meta.verbose_name_plural
        for alias in dict.fromkeys(["default"] if model is IngestKey else map(alias_of, REGIONS)):
            rows = model._default_manager.using(alias)
            lost = rows.exclude(wrapping_id__in=ids).count()
            if lost:
                found.append(f"the file lacks the keys of {lost} {kind} in {alias}. Restore it.")
            sample = rows.filter(wrapping_id__in=ids).first()
            if sample and not opens(sample.wrapping_id, bytes(sample.wrapped)):
                found.append(f"the file does not open the {kind} in {alias}. Restore the right one.")
    return found + missing_keys()


def where_the_key_file_is(databases: Mapping[str, Database]) -> list[str]:
    path = Path(settings.LEADS_KEY_FILE).resolve()
    found = []
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        found.append(f"others can read {path}. Run: chmod 600 {path}")
    for alias, config in databases.items():
        if config["ENGINE"] == SQLITE and Path(config["NAME"]).resolve().parent in path.parents:
            found.append(f"{path} lies with the database {alias}, and in its backups. Move it; change LEADS_KEY_FILE.")
    return found


def opens(wrapping_id: str, wrapped: bytes) -> bool:
    try:
        keyring.unwrap(wrapping_id, wrapped)
    except keyring.KeyUnavailable:
        return False
    return True


def missing_keys() -> list[str]:
    """Every library has its key of this month in every region: it was made ahead of time."""
    libraries = set(LeadLibrary.objects.values_list("pk", flat=True))
    found = []
    for region in REGIONS:
        keys = DataKey.objects.using(alias_of(region)).filter(region=region, month=month_of(today()))
        lacking = len(libraries - set(keys.values_list("library_id", flat=True)))
        if lacking:
            found.append(f"{lacking} libraries lack this month's key in {region}. Is the scheduler running?")
    return found


def clock() -> list[str]:
    """Our clock and the database's agree: leases, retention and signatures depend on it."""
    try:
        apart = abs(datetime.now(UTC) - database_time())
    except DatabaseError:
        return ["the database does not tell its time. See the line about the database."]
    if apart > CLOCK_TOLERANCE:
        return [f"this machine and the database are {apart.total_seconds():.0f} s apart. Set both by NTP."]
    return []


def database_time() -> datetime:
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT CURRENT_TIMESTAMP")
        (told,) = cursor.fetchone()
    return told if isinstance(told, datetime) else datetime.fromisoformat(told).replace(tzinfo=UTC)


def clockwork() -> list[str]:
    """Workers and scheduler are at work: nothing that is due each second is a minute late."""
    found = files()
    due = Delivery.objects.filter(state=Delivery.State.PENDING, connection__state="active", due_at__lt=Now() - LATE)
    if oldest := due.aggregate(oldest=Min("due_at"))["oldest"]:
        found.append(f"deliveries are due since {oldest:%Y-%m-%d %H:%M} UTC. Are worker and scheduler running?")
    unsealed = UnsealedEvent.objects.filter(event__at__lt=Now() - LATE).count()
    if unsealed:
        found.append(f"{unsealed} events of the trail are not sealed. Are worker and scheduler running?")
    return found


def files() -> list[str]:
    """Exports and imports wait in a line, but not while nobody works on any of them."""
    lines = (
        Export.objects.filter(state__in=exports.UNDER_WAY),
        Import.objects.filter(state__in=imports.UNDER_WAY),
    )
    if any(line.filter(due_at__gt=Now()).exists() for line in lines):  # leased
        return []
    waiting = sum(line.filter(due_at__lt=Now() - LATE).count() for line in lines)
    told = f"{waiting} exports and imports wait, and nobody works on any. Is a worker for the queue files running?"
    return [told] if waiting else []


def mail() -> list[str]:
    """Mail can leave: the server lets us in, or the folder can be written."""
    if settings.EMAIL_FILE_PATH and settings.EMAIL_BACKEND.endswith("filebased.EmailBackend"):
        return [] if settings.DEBUG else [f"it goes to {settings.EMAIL_FILE_PATH} and no further. Set EMAIL_URL."]
    try:
        connection = get_connection()
        connection.open()
        connection.close()
    except (OSError, smtplib.SMTPException) as error:
        return [f"the server does not let us in ({type(error).__name__}). Mend EMAIL_URL."]
    return []


def permissions() -> list[str]:
    """The permission rows are those that follow from memberships and transfers."""
    told = io.StringIO()
    try:
        call_command("check_permissions", stdout=io.StringIO(), stderr=told)  # each row by name: the command itself
    except SystemExit:
        return [told.getvalue().strip()]
    return []


CHECKS = (
    Check("database", database, "answers, and is as new as the code"),
    Check("regions", regions, "answer, and are as new as the code"),
    Check("broker", broker, "answers"),
    Check("key ring", key_ring, "is safe, and opens every key"),
    Check("clock", clock, "agrees with the database's"),
    Check("clockwork", clockwork, "nothing is late"),
    Check("mail", mail, "can leave"),
    Check("permissions", permissions, "follow from memberships"),
)
NEEDS_DATABASE = {"key ring", "clock", "clockwork", "permissions"}


def examine(checks: Iterable[Check] = CHECKS) -> dict[str, list[str]]:
    """Every check's complaints, by its name, in order. What needs a database that is not well is not asked."""
    found: dict[str, list[str]] = {}
    for check in checks:
        unwell = any(found.get(name) for name in ("database", "regions"))
        if unwell and check.name in NEEDS_DATABASE:
            found[check.name] = ["not asked: the databases are not well."]
        else:
            found[check.name] = check.ask()
    return found
