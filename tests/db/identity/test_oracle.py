"""E25: nobody learns by asking whether somebody exists. Work is compared by the hashes computed, not by the clock."""

import re
from collections.abc import Iterator

import pytest
from django.contrib.auth import hashers
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django_tenants.utils import schema_context

from benefits.people.models import Employee
from benefits.people.queries import mobile_index
from tenants.identity import links
from tenants.identity.models import User
from tenants.identity.roles import Role
from tests.people import AT, somebody

HOST = "acme.localhost"


@pytest.fixture
def names(db: None) -> Iterator[dict[str, str]]:
    """One name of each sort: known, closed, not activated yet, known only elsewhere, unknown."""
    with schema_context("acme"):
        known = somebody(Role.EMPLOYEE, name="known")
        User.objects.filter(pk=known.pk).update(email="known@acme.example")
        Employee.objects.create(
            employee_no="E1", name="K", mobile="13800138000", mobile_index=mobile_index("13800138000"),
            user=known, created_at=AT, updated_at=AT,
        )  # fmt: skip
        User.objects.filter(pk=somebody(Role.EMPLOYEE, name="closed").pk).update(is_active=False)
        invited = somebody(Role.EMPLOYEE, name="invited")
        invited.set_unusable_password()
        invited.save()
        clerk = somebody(Role.ADMIN, name="clerk")
        assert clerk.needs_second_factor
    with schema_context("globex"):
        somebody(Role.EMPLOYEE, name="elsewhere")
    yield {
        "known": "known@example.com",
        "by mobile": "13800138000",
        "by e-mail": "known@acme.example",
        "closed": "closed@example.com",
        "invited": "invited@example.com",
        "second factor": "clerk@example.com",
        "elsewhere": "elsewhere@example.com",
        "unknown": "nobody@example.com",
        "unknown mobile": "13900139000",
    }
    connection.set_schema_to_public()


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every computation of a password's hash from here on."""
    computed: list[str] = []
    for hasher in (hashers.Argon2PasswordHasher, hashers.PBKDF2PasswordHasher):
        for method in ("encode", "verify"):
            _count(monkeypatch, hasher, method, computed)
    return computed


def _count(monkeypatch: pytest.MonkeyPatch, hasher: type, method: str, computed: list[str]) -> None:
    real = getattr(hasher, method)

    def counted(self: object, *args: object, **kwargs: object) -> object:
        computed.append(method)
        return real(self, *args, **kwargs)

    monkeypatch.setattr(hasher, method, counted)


def _seen(answer: HttpResponse, *, name: str) -> tuple[int, str]:
    """Status and page, without the token of the form and the name that was typed."""
    page = answer.content.decode().replace(name, "NAME")
    return answer.status_code, re.sub(r'(name="csrfmiddlewaretoken" value=")[^"]*', r"\1", page)


def test_e25_a_failed_sign_in_is_the_same_whoever_it_was_for(
    names: dict[str, str], hashes: list[str]
) -> None:
    answers, work = {}, {}
    for sort, name in names.items():
        hashes.clear()
        answer = Client(headers={"host": HOST}).post(
            "/accounts/login/", {"login": name, "password": "wrong but long enough"}
        )
        answers[sort], work[sort] = _seen(answer, name=name), len(hashes)
    assert len(set(answers.values())) == 1
    assert answers["known"][0] == 200
    assert set(work.values()) == {1}, work


def test_e25_somebody_closed_is_told_no_more_with_the_right_password(
    names: dict[str, str], hashes: list[str]
) -> None:
    from tests.people import PASSWORD

    answers = []
    for name in (names["closed"], names["unknown"]):
        hashes.clear()
        answer = Client(headers={"host": HOST}).post(
            "/accounts/login/", {"login": name, "password": PASSWORD}
        )
        answers.append((_seen(answer, name=name), len(hashes)))
    assert answers[0] == answers[1]


def test_e25_a_dead_link_is_the_same_for_everybody(names: dict[str, str], hashes: list[str]) -> None:
    with schema_context("acme"):
        known = User.objects.get(username="known@example.com")
        closed = User.objects.get(username="closed@example.com")
        uid = links.activation_path(known).split("/")[2]
        paths = {
            "forged": f"/activate/{uid}/abc-0123/",
            "closed": links.activation_path(closed),
            "nobody": f"/activate/{'OTk5OTk5'}/abc-0123/",
            "unreadable": "/activate/AAAA/x/",
            "huge": f"/activate/{'OTk5' * 20}/abc-0123/",
        }
        paths["used"] = links.activation_path(known)
        known.set_password("another long password")
        known.save()
    hashes.clear()
    answers = {
        sort: _seen(Client(headers={"host": HOST}).get(path), name=path) for sort, path in paths.items()
    }
    assert {status for status, _ in answers.values()} == {404}
    assert len(set(answers.values())) == 1
    assert hashes == []
