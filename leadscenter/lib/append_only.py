"""Triggers that refuse to change or delete rows, on Postgres and SQLite; used by migrations alone."""

from django.db.backends.base.base import BaseDatabaseWrapper

VERBS = ("UPDATE", "DELETE")


def protect(connection: BaseDatabaseWrapper, table: str, *, when: str = "", verbs: tuple[str, ...] = VERBS) -> None:
    """Refuse `verbs` on `table`, for rows where the SQL condition `when` over OLD and NEW holds (all rows if empty)."""
    condition = f"WHEN ({when})" if when else ""
    with connection.cursor() as cursor:
        for verb in verbs:
            name = f"{table}_no_{verb.lower()}"
            message = f"{table} is append-only"
            if connection.vendor == "sqlite":
                body = f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
                cursor.execute(f"CREATE TRIGGER {name} BEFORE {verb} ON {table} {condition} {body}")
                continue
            cursor.execute(
                f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN RAISE EXCEPTION '{message}' USING ERRCODE = 'restrict_violation'; END $$"
            )
            cursor.execute(
                f"CREATE TRIGGER {name} BEFORE {verb} ON {table} FOR EACH ROW {condition} EXECUTE FUNCTION {name}()"
            )


def release(connection: BaseDatabaseWrapper, table: str, *, verbs: tuple[str, ...] = VERBS) -> None:
    """Take the triggers away again (a migration backwards)."""
    with connection.cursor() as cursor:
        for verb in verbs:
            name = f"{table}_no_{verb.lower()}"
            if connection.vendor == "sqlite":
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
            else:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name} ON {table}")
                cursor.execute(f"DROP FUNCTION IF EXISTS {name}()")
