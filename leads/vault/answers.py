"""What stands inside a lead's sealed answers ("answers/1"): written by intake, read by whoever may open it.

Names are as they were when the person answered, so that what is shown or delivered never changes afterwards.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Answer(NamedTuple):
    """One answer in the words that the person saw. `kind` is a standard field or a custom kind."""

    key: str
    label: str
    value: str
    kind: str

    def __repr__(self) -> str:
        return f"<Answer {self.key}>"


class Named(NamedTuple):
    """A form, campaign, ad group or ad as it was called at capture; `version` is a form's, else 0."""

    id: int
    name: str
    version: int = 0


EMAIL_KINDS = ("email", "work_email")
PHONE_KINDS = ("phone_number", "work_phone")


@dataclass(frozen=True, slots=True, repr=False)
class Answers:
    """The opened content. Its `repr` shows nothing of it."""

    answers: tuple[Answer, ...]
    form: Named
    campaign: Named | None = None
    ad_group: Named | None = None
    ad: Named | None = None
    attribution: dict[str, str] = field(default_factory=dict)
    country: str = ""
    language: str = ""
    consents: dict[str, bool] = field(default_factory=dict)

    def __repr__(self) -> str:
        return "<Answers •••>"

    @classmethod
    def read(cls, payload: Mapping[str, Any]) -> "Answers":
        """Read the JSON value that `leads.vault.opening.open` returned."""
        return cls(
            answers=tuple(Answer(*map(str, row)) for row in payload["answers"]),
            form=_named(payload["form"]) or Named(0, ""),
            campaign=_named(payload.get("campaign")),
            ad_group=_named(payload.get("ad_group")),
            ad=_named(payload.get("ad")),
            attribution={str(name): str(value) for name, value in (payload.get("attribution") or {}).items()},
            country=payload.get("country") or "",
            language=payload.get("language") or "",
            consents=dict(payload.get("consents") or {}),
        )

    def first(self, *kinds: str) -> str:
        """Return the first answer of these kinds, empty when none was given."""
        return next((answer.value for answer in self.answers if answer.kind in kinds), "")

    @property
    def name(self) -> str:
        """The person's name, as far as they were asked for it."""
        return self.first("name") or " ".join(filter(None, (self.first("first_name"), self.first("last_name"))))


def _named(value: Mapping[str, Any] | None) -> Named | None:
    return Named(int(value["id"]), str(value["name"]), int(value.get("version") or 0)) if value else None
