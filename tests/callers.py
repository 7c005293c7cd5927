"""Callers of the API in tests: one person, one token, JSON in and out."""

from typing import Any

from rest_framework.test import APIClient

from accounts.models import User
from accounts.services.tokens import create_token


class Caller:
    """Calls `/api/v1/…` as one person by token."""

    def __init__(self, user: User, *, scopes: tuple[str, ...] = ("everything",)) -> None:
        _token, raw = create_token(user=user, name="test", scopes=scopes)
        self.client = APIClient()
        self.client.credentials(HTTP_AUTHORIZATION=f"Bearer {raw}")

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(f"/api/v1/{path}", query)

    def post(self, path: str, body: Any = None) -> Any:
        return self.client.post(f"/api/v1/{path}", body, format="json")

    def send(self, path: str, fields: dict[str, Any]) -> Any:
        """Post a form that may hold files."""
        return self.client.post(f"/api/v1/{path}", fields, format="multipart")

    def patch(self, path: str, body: Any = None) -> Any:
        return self.client.patch(f"/api/v1/{path}", body, format="json")

    def delete(self, path: str) -> Any:
        return self.client.delete(f"/api/v1/{path}")
