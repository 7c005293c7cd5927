"""What stands between a checkout and a running installation: secrets, key file, databases, cache table, demo data.

`python -m leadscenter.installation` may run as often as one likes and changes only what is missing. What it does is
said on standard error; standard output holds the demo logins, if there are any.
"""

import argparse
import base64
import io
import json
import os
import secrets
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import django
import environ
from django.conf import settings
from django.core.management import call_command
from django.db import connections

from leadscenter.lib.private_file import write_privately

BASE = Path(__file__).resolve().parent.parent
STARTER = """# Written by bin/setup. Every variable is explained in .env.example.
DEBUG=true
SECRET_KEY={secret}
LEADS_KEY_FILE=keys/leads.json
"""


def say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def write_key_file(path: Path) -> None:
    """Make the first wrapping key, with which everything about people is sealed, and the key that signs trails."""

    def fresh() -> dict[str, str]:
        key = base64.b64encode(secrets.token_bytes(32)).decode()
        return {"id": secrets.token_hex(4), "key": key, "made": datetime.now(UTC).isoformat(timespec="seconds")}

    write_privately(path, json.dumps({"wrapping": [fresh()], "signing": [fresh()]}, indent=1) + "\n")
    say(f"made the key file {path}: keep a copy apart from the database's backups; losing it loses every lead")


def make_secrets(*, new_key_file: bool) -> None:
    """Write `.env` and the key file of a new installation. A key file that has gone missing later is never replaced."""
    dotenv, fresh = BASE / ".env", False
    if not dotenv.exists() and "SECRET_KEY" not in os.environ:
        write_privately(dotenv, STARTER.format(secret=secrets.token_urlsafe(60)))
        say("wrote .env with fresh secrets")
        fresh = True
    environ.Env.read_env(dotenv)
    path = BASE / os.environ.get("LEADS_KEY_FILE", "keys/leads.json")
    if not path.exists() and (fresh or new_key_file):
        write_key_file(path)


def make_databases() -> None:
    """Bring every database to the state of the code, and make the cache table where the cache is the database."""
    for alias in connections:
        call_command("migrate", database=alias, interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)


def demo_logins() -> str:
    """Seed the demo and say who can sign in to it; empty where none is wanted."""
    if not settings.ENVIRONMENT.demo:
        return ""
    told = io.StringIO()
    call_command("seed_demo", json=True, stdout=told)
    actors = json.loads(told.getvalue())["actors"]
    width = max(len(actor["email"]) for actor in actors.values())
    return "\n".join(f"  {actor['email']:{width}}  {actor['password']}  {name}" for name, actor in actors.items())


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--new-key-file", action="store_true", help="make the key file if LEADS_KEY_FILE is not there")
    parser.add_argument("--secrets-only", action="store_true", help="write .env and the key file, and nothing else")
    options = parser.parse_args()
    started = time.monotonic()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "leadscenter.settings")
    make_secrets(new_key_file=options.new_key_file)
    if options.secrets_only:
        return
    django.setup()
    make_databases()
    if not settings.DEBUG:
        call_command("collectstatic", interactive=False, verbosity=0)
    logins = demo_logins()
    say(f"databases and demo are up to date ({time.monotonic() - started:.1f} s)")
    sys.stdout.write(logins)


if __name__ == "__main__":
    main()
