"""Signing in: names, limits, second factor, links, sessions."""

from collections.abc import Iterator

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core.cache import cache
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django_tenants.utils import schema_context

from benefits.people.models import Employee
from benefits.people.queries import mobile_index
from tenants.identity import links, operations
from tenants.identity.errors import OwnAccess
from tenants.identity.models import AuditEvent, User
from tenants.identity.roles import Role
from tests.people import AT, PASSWORD, client_of, somebody

LOGIN = "/accounts/login/"
HOST = "acme.localhost"


@pytest.fixture
def alice(db: None) -> User:
    """An employee with an employee number, a mobile and an e-mail address."""
    with schema_context("acme"):
        user = somebody(Role.EMPLOYEE, name="alice")
        User.objects.filter(pk=user.pk).update(username="E1001", email="alice@acme.example")
        Employee.objects.create(
            employee_no="E1001",
            name="Alice",
            mobile="13800138000",
            mobile_index=mobile_index("13800138000"),
            user=user,
            created_at=AT,
            updated_at=AT,
        )
        return user


@pytest.fixture
def browser(db: None) -> Iterator[Client]:
    yield Client(headers={"host": HOST})
    connection.set_schema_to_public()


def sign_in(client: Client, login: str, password: str = PASSWORD, **more: str) -> HttpResponse:
    return client.post(LOGIN, {"login": login, "password": password, **more})


@pytest.mark.parametrize(
    "name", ["E1001", " E1001 ", "ALICE@acme.example", "138 0013 8000", "+86 13800138000"]
)
def test_any_of_ones_names_opens_the_door(alice: User, browser: Client, name: str) -> None:
    assert sign_in(browser, name).status_code == 302
    assert browser.get("/accounts/password/").status_code == 200
    with schema_context("acme"):
        assert AuditEvent.objects.filter(action="user.signed_in", actor="E1001").count() == 1


@pytest.mark.parametrize("name", ["E1001", "nobody"])
def test_a_wrong_password_and_an_unknown_name_answer_alike(alice: User, browser: Client, name: str) -> None:
    answer = sign_in(browser, name, "wrong")
    assert answer.status_code == 200
    assert "登录名或密码不正确" in answer.text


@pytest.mark.parametrize("name", ["", "x" * 5000, "\x00", "‮", "'; DROP TABLE", "١٢٣"])
def test_odd_names_are_refused_in_words(browser: Client, name: str) -> None:
    answer = sign_in(browser, name, "y" * 5000)
    assert answer.status_code == 200


def test_five_failures_close_the_door_for_the_guesser_alone(alice: User, browser: Client) -> None:
    for _ in range(5):
        assert sign_in(browser, "E1001", "wrong").status_code == 200
    refused = sign_in(browser, "E1001")
    assert refused.status_code == 429
    assert "10 分钟" in refused.text
    elsewhere = Client(headers={"host": HOST}, REMOTE_ADDR="203.0.113.9")
    assert sign_in(elsewhere, "E1001").status_code == 302
    with schema_context("globex"):
        somebody(Role.EMPLOYEE, name="gus")
    other_company = Client(headers={"host": "globex.localhost"})
    assert sign_in(other_company, "gus@example.com").status_code == 302


def test_a_good_password_does_not_use_up_the_limit(alice: User) -> None:
    for _ in range(8):
        assert sign_in(Client(headers={"host": HOST}), "E1001").status_code == 302


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        ("/accounts/password/", "/accounts/password/"),
        ("//evil.example/", "/"),
        ("https://evil.example/", "/"),
        ("http://globex.localhost/", "/"),
        ("javascript:alert(1)", "/"),
        ("/\\evil.example", "/"),
    ],
)
def test_the_page_one_wanted_is_reached_unless_it_is_elsewhere(
    alice: User, browser: Client, wanted: str, reached: str
) -> None:
    assert sign_in(browser, "E1001", next=wanted).headers["Location"] == reached


def test_somebody_closed_is_out_at_once(alice: User, browser: Client) -> None:
    sign_in(browser, "E1001")
    with schema_context("acme"):
        operations.set_active(user=alice, is_active=False, actor=User.objects.order_by("pk").first(), at=AT)
    assert browser.get("/accounts/password/").headers["Location"].startswith(LOGIN)
    assert sign_in(browser, "E1001").status_code == 200


def test_a_role_is_felt_at_the_next_request(alice: User, browser: Client) -> None:
    sign_in(browser, "E1001")
    assert browser.get("/company/employees/").status_code == 403
    with schema_context("acme"):
        owner = User.objects.order_by("pk").first()
        operations.set_roles(user=User.objects.get(pk=alice.pk), roles=[Role.HR], actor=owner, at=AT)
    assert browser.get("/company/employees/").status_code == 200


def test_changing_the_password_ends_every_other_session(alice: User, browser: Client) -> None:
    sign_in(browser, "E1001")
    phone = Client(headers={"host": HOST})
    sign_in(phone, "E1001")
    new = {
        "old_password": PASSWORD,
        "new_password1": "a brand new sentence",
        "new_password2": "a brand new sentence",
    }
    assert browser.post("/accounts/password/", new).status_code == 200
    assert browser.get("/accounts/password/").status_code == 200
    assert phone.get("/accounts/password/").status_code == 302


@pytest.mark.parametrize("password", ["short", "12345678901", "password", "E1001E1001"])
def test_a_weak_password_is_refused_with_the_reason(db: None, password: str) -> None:
    with schema_context("acme"):
        path = links.activation_path(somebody(Role.EMPLOYEE, name="E1001E1001"))
    answer = Client(headers={"host": HOST}).post(path, {"new_password1": password, "new_password2": password})
    assert answer.status_code == 200
    assert "errorlist" in answer.text or "error" in answer.text


def test_an_activation_link_works_once(db: None) -> None:
    with schema_context("acme"):
        person = somebody(Role.EMPLOYEE, name="new")
        User.objects.filter(pk=person.pk).update(password="!")
        path = links.activation_path(User.objects.get(pk=person.pk))
    client = Client(headers={"host": HOST})
    new = {"new_password1": "a brand new sentence", "new_password2": "a brand new sentence"}
    assert client.get(path).status_code == 200
    assert client.post(path, new).status_code == 302
    assert client.get("/accounts/password/").status_code == 200
    assert client.get(path).status_code == 404
    assert client.post(path, new).status_code == 404
    assert (
        sign_in(Client(headers={"host": HOST}), "new@example.com", "a brand new sentence").status_code == 302
    )


@pytest.mark.parametrize(
    "change", [lambda path: path[:-3] + "xx/", lambda path: path.replace("/activate/", "/activate/z")]
)
def test_a_changed_link_is_dead(db: None, change: object) -> None:
    with schema_context("acme"):
        path = links.activation_path(somebody(Role.EMPLOYEE))
    assert Client(headers={"host": HOST}).get(change(path)).status_code == 404  # type: ignore[operator]


def test_a_link_does_not_go_around_the_second_factor(db: None) -> None:
    with schema_context("acme"):
        path = links.activation_path(somebody(Role.ADMIN))
    client = Client(headers={"host": HOST})
    new = {"new_password1": "a brand new sentence", "new_password2": "a brand new sentence"}
    assert client.post(path, new).headers["Location"] == LOGIN
    assert client.get("/accounts/password/").status_code == 302


def _code(user: User) -> str:
    with schema_context("acme"):
        secret = get_adapter().decrypt(Authenticator.objects.get(user=user, type="totp").data["secret"])
    return str(format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time())))))


def test_an_administrator_signs_in_with_a_code_that_works_once(db: None) -> None:
    with schema_context("acme"):
        admin = somebody(Role.ADMIN)
    client, other = Client(headers={"host": HOST}), Client(headers={"host": HOST})
    for one in (client, other):
        assert sign_in(one, admin.username).headers["Location"].startswith("/accounts/2fa/authenticate/")
        assert one.get("/accounts/password/").status_code == 302
    code = _code(admin)
    assert client.post("/accounts/2fa/authenticate/", {"code": "000000"}).status_code == 200
    assert client.post("/accounts/2fa/authenticate/", {"code": code}).status_code == 302
    assert client.get("/accounts/password/").status_code == 200
    assert other.post("/accounts/2fa/authenticate/", {"code": code}).status_code == 200
    assert other.get("/accounts/password/").status_code == 302


def test_whoever_needs_a_second_factor_keeps_it(db: None) -> None:
    with schema_context("acme"):
        admin = somebody(Role.ADMIN)
        client = Client(headers={"host": HOST})
    sign_in(client, admin.username)
    client.post("/accounts/2fa/authenticate/", {"code": _code(admin)})
    client.post("/accounts/2fa/totp/deactivate/")
    with schema_context("acme"):
        assert Authenticator.objects.filter(user=admin, type="totp").exists()


def test_the_secret_of_a_second_factor_is_sealed_for_its_company(db: None) -> None:
    with schema_context("acme"):
        admin = somebody(Role.ADMIN)
        stored = Authenticator.objects.get(user=admin, type="totp").data["secret"]
    with schema_context("globex"), pytest.raises(Exception):  # noqa: B017, PT011
        get_adapter().decrypt(stored)


def test_setting_up_the_second_factor_needs_no_second_password_just_after_signing_in(db: None) -> None:
    with schema_context("acme"):
        admin = somebody(Role.ADMIN, second_factor=False)
    client = Client(headers={"host": HOST})
    sign_in(client, admin.username)
    page = client.get("/", follow=True)
    assert page.redirect_chain[-1][0] == "/accounts/2fa/totp/activate/"
    assert page.status_code == 200
    assert page.context["form"].secret in page.text


def test_nobody_changes_their_own_access(db: None) -> None:
    with schema_context("acme"):
        admin = somebody(Role.ADMIN)
        for change in (
            lambda: operations.set_active(user=admin, is_active=False, actor=admin, at=AT),
            lambda: operations.set_roles(user=admin, roles=[Role.HR], actor=admin, at=AT),
            lambda: operations.reset_second_factor(user=admin, actor=admin, at=AT),
        ):
            with pytest.raises(OwnAccess):
                change()


def test_get_signs_nobody_out(alice: User, browser: Client) -> None:
    sign_in(browser, "E1001")
    assert browser.get("/accounts/logout/").status_code == 200
    assert browser.get("/accounts/password/").status_code == 200
    assert browser.post("/accounts/logout/").status_code == 302
    assert browser.get("/accounts/password/").status_code == 302


@pytest.mark.parametrize(
    "path", ["/accounts/signup/", "/accounts/password/reset/", "/accounts/email/", "/accounts/"]
)
def test_what_is_not_offered_is_not_there(browser: Client, path: str) -> None:
    assert browser.get(path).status_code in (302, 404)


def test_the_language_stays_with_the_reader(browser: Client) -> None:
    assert "登录" in browser.get(LOGIN).text
    browser.post("/language/", {"language": "en", "next": LOGIN})
    assert "Sign in" in browser.get(LOGIN).text
    assert browser.post("/language/", {"language": "en", "next": "//evil.example"}).headers["Location"] == "/"


def test_the_cache_may_be_gone(alice: User, browser: Client) -> None:
    cache.clear()
    assert sign_in(browser, "E1001").status_code == 302


def test_pages_of_someone_signed_in_are_not_stored(db: None) -> None:
    with schema_context("acme"):
        client = client_of(somebody(Role.EMPLOYEE), host=HOST)
    assert "no-store" in client.get("/accounts/password/").headers["Cache-Control"]
