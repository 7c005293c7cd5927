"""The JSON shapes of forms: written here for the answers, described here for the API's schema."""

from typing import Any

from django.http import HttpRequest
from rest_framework import serializers
from rest_framework.request import Request

from forms_builder.models import Form, FormVersion
from forms_builder.schema import CUSTOM_KINDS, STANDARD_FIELDS


class OptionShape(serializers.Serializer[Any]):
    key = serializers.CharField(required=False)
    label = serializers.CharField()  # type: ignore[assignment]


class QuestionShape(serializers.Serializer[Any]):
    key = serializers.CharField(required=False, help_text="Made from the label when missing; fixed from then on.")
    kind = serializers.ChoiceField(choices=[*STANDARD_FIELDS, *CUSTOM_KINDS])
    label = serializers.CharField(required=False)  # type: ignore[assignment]
    required = serializers.BooleanField(default=True)  # type: ignore[assignment]
    hint = serializers.CharField(required=False)
    options = OptionShape(many=True, required=False, help_text="2 to 10, for multiple_choice.")


class ConsentShape(serializers.Serializer[Any]):
    key = serializers.CharField(required=False)
    label = serializers.CharField()  # type: ignore[assignment]
    required = serializers.BooleanField(default=False)  # type: ignore[assignment]


class DisclaimerShape(serializers.Serializer[Any]):
    title = serializers.CharField(required=False)
    text = serializers.CharField(required=False)
    consents = ConsentShape(many=True, required=False)


class EndingShape(serializers.Serializer[Any]):
    headline = serializers.CharField(required=False)
    text = serializers.CharField(required=False)
    link_url = serializers.URLField(required=False)
    link_text = serializers.CharField(required=False)


class ContentShape(serializers.Serializer[Any]):
    headline = serializers.CharField(required=False)
    text = serializers.CharField(required=False)
    questions = QuestionShape(many=True, required=False)
    privacy_policy_url = serializers.URLField(required=False, help_text="https; needed to publish.")
    disclaimer = DisclaimerShape(required=False)
    ending = EndingShape(required=False)
    country = serializers.CharField(required=False, help_text="Where phone numbers without + are taken to be.")


class FormBody(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=120)
    content = ContentShape(required=False)
    language = serializers.CharField(default="en")


class FormChange(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=120, required=False)
    content = ContentShape(required=False)
    language = serializers.CharField(required=False)


class DraftShape(serializers.Serializer[Any]):
    version = serializers.IntegerField()
    status = serializers.ChoiceField(choices=["draft", "awaiting_approval"])
    saved_at = serializers.DateTimeField()


class FormShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    public_id = serializers.CharField()
    ad_account = serializers.CharField()
    name = serializers.CharField()
    status = serializers.ChoiceField(choices=Form.Status.choices)
    url = serializers.URLField()
    version = serializers.IntegerField(allow_null=True, help_text="Number of the published version.")
    draft = DraftShape(allow_null=True)
    language = serializers.CharField()
    created_at = serializers.DateTimeField()
    archived_at = serializers.DateTimeField(allow_null=True)
    content = ContentShape(required=False)


class FormPage(serializers.Serializer[Any]):
    results = FormShape(many=True)
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class VersionShape(serializers.Serializer[Any]):
    id = serializers.CharField()
    version = serializers.IntegerField()
    status = serializers.ChoiceField(choices=FormVersion.Status.choices)
    language = serializers.CharField()
    published_at = serializers.DateTimeField(allow_null=True)
    published_by = serializers.CharField(allow_null=True)
    content = ContentShape()


def form_json(
    form: Form, draft: FormVersion | None, request: HttpRequest | Request, *, with_content: bool = False
) -> dict[str, Any]:
    """Return a form as the API shows it; `content` is the draft's, else the published version's."""
    shown = draft or form.published
    body = {
        "id": str(form.pk),
        "public_id": form.public_id,
        "ad_account": str(form.ad_account_id),
        "name": form.name,
        "status": form.status,
        "url": request.build_absolute_uri(f"/f/{form.public_id}/"),
        "version": form.published.number if form.published else None,
        "draft": {"version": draft.number, "status": draft.status, "saved_at": draft.saved_at} if draft else None,
        "language": shown.language if shown else "en",
        "created_at": form.created_at,
        "archived_at": form.archived_at,
    }
    return body | ({"content": shown.content if shown else {}} if with_content else {})


def version_json(version: FormVersion) -> dict[str, Any]:
    """Return a version as the API shows it."""
    return {
        "id": str(version.pk),
        "version": version.number,
        "status": version.status,
        "language": version.language,
        "published_at": version.published_at,
        "published_by": str(version.published_by) if version.published_by else None,
        "content": version.content,
    }
