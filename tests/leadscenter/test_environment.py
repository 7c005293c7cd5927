import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from leadscenter.environment import BadEnvironment, Environment, read

ROOT = Path(__file__).resolve().parents[2]
SECRET = "a-secret-of-more-than-fifty-characters-0123456789-xyz"


def key_file(folder: Path, *, mode: int = 0o600, text: str | None = None) -> Path:
    path = folder / "leads.json"
    entry = {"id": "k1", "key": base64.b64encode(b"k" * 32).decode(), "made": "2026-01-01T00:00:00+00:00"}
    path.write_text(text if text is not None else json.dumps({"wrapping": [entry]}))
    path.chmod(mode)
    return path


def production(folder: Path, **changed: str) -> dict[str, str]:
    """A complete production environment, with changes; an empty value is a missing one."""
    return {
        "SECRET_KEY": SECRET,
        "ALLOWED_HOSTS": "leads.example.com",
        "PUBLIC_URL": "https://leads.example.com",
        "DATABASE_URL": "postgres://web:word@db:5432/leads",
        "LEADS_KEY_FILE": str(key_file(folder)),
        "EMAIL_URL": "smtp+tls://user:word@mail:587",
        **changed,
    }


def problems(values: dict[str, str], folder: Path) -> list[str]:
    with pytest.raises(BadEnvironment) as caught:
        read(values, folder)
    return caught.value.problems


def test_a_complete_production_environment_is_read_into_types(tmp_path: Path) -> None:
    found = read(
        production(tmp_path, TRUSTED_PROXIES="10.0.0.0/8, 192.0.2.7", OUTBOUND_ALLOWED_HOSTS="CRM.local:8443,10.1.1.1"),
        tmp_path,
    )
    assert found.debug is False
    assert found.database["NAME"] == "leads"
    assert found.allowed_hosts == ["leads.example.com"]
    assert found.outbound_allowed_hosts == {"crm.local:8443", "10.1.1.1"}
    assert [str(network) for network in found.trusted_proxies] == ["10.0.0.0/8", "192.0.2.7/32"]


def test_the_header_of_the_country_is_kept_under_its_name_in_meta(tmp_path: Path) -> None:
    found = read(production(tmp_path, TRUSTED_PROXIES="10.0.0.0/8", COUNTRY_HEADER="CF-IPCountry"), tmp_path)
    assert found.country_header == "HTTP_CF_IPCOUNTRY"
    assert read(production(tmp_path), tmp_path).country_header == ""


def test_everything_that_is_missing_is_listed_at_once(tmp_path: Path) -> None:
    missing = ("SECRET_KEY", "ALLOWED_HOSTS", "PUBLIC_URL", "LEADS_KEY_FILE", "EMAIL_URL")
    listed = problems({}, tmp_path)
    assert [line.split()[0] for line in listed] == list(missing)


def test_debug_alone_is_enough_to_try_things_out(tmp_path: Path) -> None:
    found = read({"DEBUG": "true"}, tmp_path)
    assert found.database["NAME"] == str(tmp_path / "var/db/main.sqlite3")
    assert found.leads_key_file == tmp_path / "keys/leads.json"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("DEBUG", "maybe", "DEBUG is 'maybe'"),
        ("SECRET_KEY", "short", "SECRET_KEY is too weak"),
        ("SECRET_KEY", "a" * 80, "SECRET_KEY is too weak"),
        ("ALLOWED_HOSTS", "*", "ALLOWED_HOSTS is '*'"),
        ("PUBLIC_URL", "leads.example.com", "PUBLIC_URL is 'leads.example.com'"),
        ("PUBLIC_URL", "http://leads.example.com", "PUBLIC_URL is http"),
        ("DATABASE_URL", "mysql://db/leads", "DATABASE_URL is no database URL"),
        ("DATABASE_URL", "nonsense", "DATABASE_URL is no database URL"),
        ("VAULT_DATABASE_URLS", "mars=postgres://db/leads", "VAULT_DATABASE_URLS has 'mars'"),
        ("VAULT_DATABASE_URLS", "eu=postgres://a/b,eu=postgres://c/d", "VAULT_DATABASE_URLS names eu twice"),
        ("REDIS_URL", "http://redis", "REDIS_URL is no Redis URL"),
        ("LEADS_KEY_FILE", "/nowhere/leads.json", "LEADS_KEY_FILE /nowhere/leads.json does not exist"),
        ("EMAIL_URL", "pigeon://loft", "EMAIL_URL is no mail URL"),
        ("SENTRY_DSN", "sentry", "SENTRY_DSN is no DSN"),
        ("OUTBOUND_ALLOWED_HOSTS", "https://crm.local/", "OUTBOUND_ALLOWED_HOSTS has 'https://crm.local/'"),
        ("TRUSTED_PROXIES", "the-proxy", "TRUSTED_PROXIES has 'the-proxy'"),
        ("COUNTRY_HEADER", "CF-IPCountry", "COUNTRY_HEADER is believed from a trusted proxy only"),
        ("COUNTRY_HEADER", "two words", "COUNTRY_HEADER is 'two words'"),
        ("STATEMENT_TIMEOUT_MS", "soon", "STATEMENT_TIMEOUT_MS is 'soon'"),
    ],
)
def test_a_bad_value_is_named(tmp_path: Path, name: str, value: str, told: str) -> None:
    listed = problems(production(tmp_path, **{name: value}), tmp_path)
    assert len(listed) == 1
    assert listed[0].startswith(told)


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = key_file(tmp_path)
    values = production(tmp_path)
    path.chmod(0o644)
    assert problems(values, tmp_path) == [f"LEADS_KEY_FILE {path} can be read by others: chmod 600 it"]


@pytest.mark.parametrize("text", ["", "{}", '{"wrapping": []}', '{"wrapping": [{"id": "k1"}]}', "[1]"])
def test_a_key_file_that_is_none_is_refused_without_quoting_it(tmp_path: Path, text: str) -> None:
    values = production(tmp_path)
    key_file(tmp_path, text=text)
    listed = problems(values, tmp_path)
    assert len(listed) == 1
    assert "is no key file" in listed[0]


def test_regions_that_live_in_the_main_database_need_no_alias(tmp_path: Path) -> None:
    same = "postgresql://other:user@db/leads"  # another scheme, user and no port: the same database
    found = read(production(tmp_path, VAULT_DATABASE_URLS=f"eu={same},us=postgres://web:word@us/leads"), tmp_path)
    assert list(found.vault_databases) == ["us"]


def test_mail_may_go_into_a_folder(tmp_path: Path) -> None:
    assert read({"DEBUG": "true"}, tmp_path).email["EMAIL_FILE_PATH"] == str(tmp_path / "var/mail")
    named = read(production(tmp_path, EMAIL_URL="filemail:///srv/mail"), tmp_path)
    assert named.email["EMAIL_FILE_PATH"] == "/srv/mail"


def test_its_repr_shows_no_secret(tmp_path: Path) -> None:
    found: Environment = read(production(tmp_path), tmp_path)
    assert SECRET not in repr(found)
    assert "word" not in repr(found)


def test_a_bad_environment_stops_every_command_with_status_2(tmp_path: Path) -> None:
    values = {**os.environ, "DEBUG": "false", "SECRET_KEY": "short", "PUBLIC_URL": "ftp://x", "ALLOWED_HOSTS": "*"}
    command = [sys.executable, "manage.py", "check"]
    done = subprocess.run(command, cwd=ROOT, env=values, capture_output=True, text=True)
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert lines[0] == "The environment does not allow a start:"
    assert [line.split()[1] for line in lines if line.startswith("  - ")][:3] == [
        "SECRET_KEY",
        "ALLOWED_HOSTS",
        "PUBLIC_URL",
    ]
    assert "Traceback" not in done.stderr
