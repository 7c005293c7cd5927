"""Where the vault of each region lives, and the router that refuses to guess."""

from typing import Any

from django.conf import settings
from django.db import models

INSTALLATION_WIDE = frozenset({"ingestkey"})


def alias_of(region: str) -> str:
    """Return the database alias of a region ("eu", "us", "row"); `KeyError` for anything else."""
    return str(settings.VAULT_ALIASES[region])


def aliases() -> list[str]:
    """Return every database that holds a part of the vault, each once, in the order of the regions."""
    return list(dict.fromkeys(settings.VAULT_ALIASES.values()))


class RegionMissing(RuntimeError):
    """A vault query named no region (`.using(alias_of(region))`): it could read the wrong one, so it does not run."""


class VaultRouter:
    """Rows of the vault live where their region lives; everything else is the control database's.

    Set up in one database or in four, a vault query must say which region it means: code that forgets it fails on the
    developer's machine already.
    """

    def db_for_read(self, model: type[models.Model], **hints: Any) -> str | None:
        """Return the database of an installation-wide model; raise for a vault row without a region."""
        if model._meta.app_label != "vault":
            return None
        if model._meta.model_name in INSTALLATION_WIDE:
            return "default"
        instance = hints.get("instance")
        if instance is not None and (region := getattr(instance, "region", None)):
            return alias_of(region)
        raise RegionMissing(f"name the region of this {model.__name__} query with .using(alias_of(region))")

    db_for_write = db_for_read

    def allow_relation(self, one: models.Model, other: models.Model, **hints: Any) -> bool | None:
        """Refuse relations across the vault's border."""
        if (one._meta.app_label == "vault") != (other._meta.app_label == "vault"):
            return False
        return None

    def allow_migrate(self, db: str, app_label: str, model_name: str | None = None, **hints: Any) -> bool:
        """Make vault tables in the regions' databases and all others in the control database."""
        if app_label != "vault":
            return db == "default"
        if model_name in INSTALLATION_WIDE:
            return db == "default"
        return db in aliases()
