"""Nothing of one company is seen or changed from another. Both have the same ids on purpose."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django_tenants.utils import schema_context

from benefits.people.models import Department, Employee
from tenants import operations
from tenants.identity import links
from tenants.identity.models import User
from tenants.identity.roles import COMPANY_ROLES, Role
from tenants.models import Company, Domain
from tests.addresses import addresses
from tests.people import AT, PASSWORD, client_of, somebody

CANARY = "CANARY"


def visit(host: str, path: str = "/accounts/login/", **more: str) -> int:
    return Client(headers={"host": host, **more}).get(path).status_code


@pytest.mark.parametrize(
    "host",
    [
        "nobody.localhost",
        "127.0.0.1",
        "evil.example",
        "[::1]",
        "",
        "acme.localhost.evil.example",
        "a_b.localhost",
        "xacme.localhost",
    ],
)
def test_t01_a_host_that_is_nobodys_gets_nothing(db: None, host: str) -> None:
    answer = Client(headers={"host": host}).get("/")
    assert answer.status_code == 404
    assert "Acme" not in answer.text
    assert not answer.cookies


def test_t01_a_company_that_is_being_opened_or_closed_is_nobodys(db: None) -> None:
    for status in (Company.Status.OPENING, Company.Status.CLOSED):
        cache.clear()
        Company.objects.filter(schema_name="acme").update(status=status)
        assert visit("acme.localhost") == 404


def test_t02_a_forwarded_host_is_not_believed(db: None) -> None:
    answer = Client(headers={"host": "acme.localhost", "x-forwarded-host": "globex.localhost"}).get(
        "/accounts/login/"
    )
    assert "Acme" in answer.text
    assert "Globex" not in answer.text


@pytest.mark.parametrize(
    "host", ["ACME.localhost", "acme.localhost.", "acme.localhost:8000", "www.acme.localhost"]
)
def test_t03_other_spellings_of_the_host_are_the_same_company(db: None, host: str) -> None:
    answer = Client(headers={"host": host}).get("/accounts/login/")
    assert answer.status_code == 200
    assert "Acme" in answer.text


def test_t04_links_use_the_companys_own_domain_whatever_host_was_asked(db: None) -> None:
    company = Company.objects.get(schema_name="acme")
    Domain.objects.create(tenant=company, domain="other.localhost", is_primary=False)
    assert links.absolute("/x/", company=company).startswith("http://acme.localhost")


def test_t05_a_session_of_one_company_is_nothing_in_another(db: None) -> None:
    with schema_context("acme"):
        alice = client_of(somebody(Role.HR, name="alice"), host="acme.localhost")
    with schema_context("globex"):
        somebody(Role.HR, name="gus")  # the same id as Alice
    other = Client(headers={"host": "globex.localhost"})
    session = alice.cookies[settings.SESSION_COOKIE_NAME].value
    other.cookies[settings.SESSION_COOKIE_NAME] = session
    assert other.get("/accounts/password/").status_code == 302
    again = Client(headers={"host": "acme.localhost"})
    again.cookies[settings.SESSION_COOKIE_NAME] = session
    assert again.get("/accounts/password/").status_code == 200


def test_t06_cookies_belong_to_the_host_alone_and_the_session_is_new_after_sign_in(db: None) -> None:
    with schema_context("acme"):
        somebody(Role.EMPLOYEE, name="alice")
    client = Client(headers={"host": "acme.localhost"})
    client.cookies[settings.SESSION_COOKIE_NAME] = "fixed-by-somebody-else"
    client.get("/accounts/login/")
    answer = client.post("/accounts/login/", {"login": "alice@example.com", "password": PASSWORD})
    assert answer.status_code == 302
    cookie = answer.cookies[settings.SESSION_COOKIE_NAME]
    assert cookie.value not in ("", "fixed-by-somebody-else")
    assert not cookie["domain"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_t07_a_csrf_token_of_one_company_is_refused_in_another(db: None) -> None:
    acme = Client(headers={"host": "acme.localhost"}, enforce_csrf_checks=True)
    globex = Client(headers={"host": "globex.localhost"}, enforce_csrf_checks=True)
    token = acme.get("/accounts/login/").context["csrf_token"]
    globex.get("/accounts/login/")
    answer = globex.post(
        "/accounts/login/", {"login": "x", "password": "y", "csrfmiddlewaretoken": str(token)}
    )
    assert answer.status_code == 403


def test_t08_an_activation_link_of_one_company_is_dead_in_another(db: None) -> None:
    with schema_context("acme"):
        path = links.activation_path(User.objects.order_by("pk").first())
    with schema_context("globex"):
        assert User.objects.order_by("pk").first().pk == 1
    assert Client(headers={"host": "acme.localhost"}).get(path).status_code == 200
    assert Client(headers={"host": "globex.localhost"}).get(path).status_code == 404
    assert Client(headers={"host": settings.PLATFORM_DOMAIN}).get(path).status_code == 404


def test_t09_no_page_of_one_company_shows_a_word_of_another(db: None) -> None:
    with schema_context("globex"):
        department = Department.objects.create(path=f"{CANARY}-department")
        person = somebody(Role.EMPLOYEE, name=f"{CANARY}-user")
        Employee.objects.create(
            employee_no=f"{CANARY}-1",
            name=f"{CANARY}-name",
            department=department,
            user=person,
            created_at=AT,
            updated_at=AT,
        )
    with schema_context("acme"):
        client = client_of(somebody(*COMPANY_ROLES), host="acme.localhost", raise_request_exception=False)
    leaking = []
    for one in addresses("config.urls"):
        for query in ("",) if one.is_library else ("", f"?q={CANARY}&search={CANARY}"):
            answer = client.get(one.path + query)
            shown = b"" if answer.streaming else answer.content.replace(f'value="{CANARY}"'.encode(), b"")
            if CANARY.encode() + b"-" in shown:
                leaking.append(str(one))
    assert leaking == []


@pytest.mark.parametrize(
    "path",
    [
        "/media/globex/secret.txt",
        "/media/acme/../globex/secret.txt",
        "/media/..%2fglobex%2fsecret.txt",
        "/media/secret.txt",
        "/documents/1/secret.txt",
    ],
)
def test_t10_a_file_of_another_company_is_not_there(db: None, path: str) -> None:
    with schema_context("globex"):
        stored = default_storage.save("secret.txt", ContentFile(b"CANARY-file"))
    try:
        with schema_context("acme"):
            client = client_of(somebody(*COMPANY_ROLES), host="acme.localhost", raise_request_exception=False)
        answer = client.get(path)
        assert answer.status_code in (301, 404)
        assert not default_storage.exists("secret.txt")
    finally:
        with schema_context("globex"):
            default_storage.delete(stored)


def test_t11_a_cached_value_is_the_companys_own(db: None) -> None:
    with schema_context("acme"):
        cache.set("same-key", "of acme")
    with schema_context("globex"):
        assert cache.get("same-key") is None
        cache.set("same-key", "of globex")
    with schema_context("acme"):
        assert cache.get("same-key") == "of acme"


def test_t15_permissions_hold_in_each_company_whatever_their_ids(db: None) -> None:
    for schema in ("acme", "globex"):
        with schema_context(schema):
            ContentType.objects.clear_cache()
            user = somebody(Role.HR, name="perm")
            permission = Permission.objects.get(codename="view_user", content_type__app_label="identity")
            user.user_permissions.add(permission)
            assert User.objects.get(pk=user.pk).has_perm("identity.view_user")


def test_t16_a_command_without_its_company_refuses() -> None:
    with pytest.raises(CommandError):
        call_command("redeem")


@pytest.mark.parametrize(
    "name",
    [
        "Acme; DROP SCHEMA public",
        "1acme",
        "pg_acme",
        "a",
        "a" * 41,
        "ACME",
        "a-b",
        "public",
        "information_schema",
        "",
        "company_template",
    ],
)
def test_t17_a_schema_is_never_named_by_free_text(public: None, name: str) -> None:
    from tenants.errors import InvalidSchemaName

    with pytest.raises(InvalidSchemaName):
        operations.open_company(schema=name, name="X", domain="x.localhost", actor=None, at=datetime.now(UTC))


def test_t22_a_suspended_company_is_closed_at_once_and_opens_again(
    db: None, django_capture_on_commit_callbacks: Any
) -> None:
    company = Company.objects.get(schema_name="acme")
    with schema_context("acme"):
        client = client_of(somebody(Role.HR), host="acme.localhost")
    assert client.get("/accounts/password/").status_code == 200
    connection.set_schema_to_public()
    with django_capture_on_commit_callbacks(execute=True):
        operations.suspend(company=company, actor=None, at=datetime.now(UTC))
    assert client.get("/accounts/password/").status_code == 503
    assert visit("globex.localhost") == 200
    with django_capture_on_commit_callbacks(execute=True):
        operations.resume(company=company, actor=None, at=datetime.now(UTC))
    assert client.get("/accounts/password/").status_code == 200


def test_t26_a_name_that_is_taken_in_one_company_is_free_in_another(db: None) -> None:
    for schema in ("acme", "globex"):
        with schema_context(schema):
            assert somebody(Role.EMPLOYEE, name="same").pk


def test_a_link_older_than_a_week_is_dead(db: None) -> None:
    import time_machine

    with schema_context("acme"), time_machine.travel(datetime.now(UTC) - timedelta(days=8)):
        path = links.activation_path(User.objects.order_by("pk").first())
    assert Client(headers={"host": "acme.localhost"}).get(path).status_code == 404
