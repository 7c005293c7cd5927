"""Health pages for whatever watches the installation. Only the database decides: a form works without the broker."""

import logging
from functools import cache

import redis
from django.conf import settings
from django.db import DatabaseError, connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse

from accounts.declarations import public

logger = logging.getLogger(__name__)


@public
def live(request: HttpRequest) -> JsonResponse:
    """200 while the process answers."""
    return JsonResponse({"status": "ok"})


@public
def ready(request: HttpRequest) -> JsonResponse:
    """200 while the main database answers and its migrations are applied; the rest is told in the body."""
    database = answers("default")
    migrated = database and migrations_applied()
    body = {
        "status": "ok" if migrated else "unavailable",
        "database": "ok" if database else "down",
        "migrations": "applied" if migrated else "pending",
        "regions": {region: "ok" if answers(alias) else "down" for region, alias in settings.VAULT_ALIASES.items()},
        "broker": broker(),
    }
    return JsonResponse(body, status=200 if migrated else 503)


def answers(alias: str) -> bool:
    """Whether a database takes a query."""
    try:
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        logger.exception("The database %s does not answer", alias)
        return False
    return True


def migrations_applied() -> bool:
    """Whether nothing is left to migrate. Asked until it is true once: code and database only change with a restart."""
    try:
        return no_migration_is_left()
    except NotMigrated:
        return False


class NotMigrated(Exception):
    """The database is older than the code."""


@cache
def no_migration_is_left() -> bool:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise NotMigrated
    return True


def broker() -> str:
    """ "ok" or "down"; "files" where the broker is a folder."""
    if not settings.REDIS_URL:
        return "files"
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5)
    try:
        client.ping()
    except redis.RedisError:
        return "down"
    finally:
        client.close()
    return "ok"
