"""Who signs in under an employee number, a mobile or an e-mail address."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from benefits.people import queries
from tenants.db import connection
from tenants.identity.models import User


class Backend(ModelBackend):
    """Passwords of the current schema's users, found by whichever name of theirs they typed."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        if not username or password is None:
            return None
        user = _find(username.strip())
        if user is None:
            # The same work as for a known name, so that time does not tell which names exist.
            User().set_password(password)
            return None
        return user if user.check_password(password) and self.user_can_authenticate(user) else None


def _find(name: str) -> User | None:
    if user := User.objects.filter(username=name).first():
        return user
    if "@" in name and (user := User.objects.filter(email__iexact=name).first()):
        return user
    return queries.user_of_mobile(name) if connection.schema_name != "public" else None
