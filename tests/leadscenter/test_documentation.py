from io import StringIO

import pytest
import yaml
from django.core.management import call_command
from django.test import Client
from django.urls import reverse


def test_the_schema_is_valid_and_without_a_warning() -> None:
    told = StringIO()
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=told)
    paths = yaml.safe_load(told.getvalue())["paths"]
    assert "/api/v1/public/forms/{public_id}/submissions/" in paths
    assert len(paths) > 20


@pytest.mark.django_db
def test_the_documentation_page_comes_from_here_with_a_policy_of_its_own(client: Client) -> None:
    answer = client.get(reverse("api_docs"))
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "img-src 'self' data:" in policy
    page = answer.content.decode()
    assert "/static/drf_spectacular_sidecar/" in page
    assert "https://" not in page
