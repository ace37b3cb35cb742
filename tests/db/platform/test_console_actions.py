"""What the console changes: by whom, with which second person, and with what trace."""

import json
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_tenants.utils import schema_context

from benefits.fulfilment.models import Attempt, Case, Delivery, Offer, Supplier
from benefits.funds import operations as funds
from benefits.funds.errors import CreditInUse
from benefits.funds.models import Deposit, FundsAccount
from benefits.funds.queries import available_fen
from tenants.db import transaction
from tenants.identity.models import AuditEvent, User
from tenants.identity.roles import Role
from tenants.models import Company
from tests.people import client_of, somebody


def url(name: str, *args: object) -> str:
    return reverse(f"platform_{name}", args=args, urlconf="config.urls_platform")


@pytest.fixture
def recorded(finance: Client) -> Deposit:
    finance.post(
        url("deposit_record", "acme"),
        {"yuan": "12,000.50", "reference": "ICBC-1", "value_date": "2026-01-05"},
    )
    return Deposit.objects.get()


def test_a_deposit_needs_a_second_person(finance: Client, second_finance: Client, recorded: Deposit) -> None:
    assert (recorded.fen, recorded.recorded_by, recorded.status) == (1_200_050, "fei@example.com", "recorded")
    assert finance.post(url("deposit_confirm", recorded.pk)).status_code == 403
    assert available_fen("acme") == 0
    assert second_finance.post(url("deposit_confirm", recorded.pk)).status_code == 302
    assert second_finance.post(url("deposit_confirm", recorded.pk)).status_code == 302, (
        "again changes nothing"
    )
    assert available_fen("acme") == 1_200_050
    assert list(
        AuditEvent.objects.filter(action__startswith="deposit.").order_by("pk").values_list("action", "actor")
    ) == [
        ("deposit.recorded", "fei@example.com"),
        ("deposit.confirmed", "feng@example.com"),
    ]


def test_a_rejected_deposit_is_not_confirmed_any_more(
    second_finance: Client, finance: Client, recorded: Deposit
) -> None:
    assert second_finance.post(url("deposit_reject", recorded.pk)).status_code == 302
    assert second_finance.post(url("deposit_confirm", recorded.pk)).status_code == 409
    assert available_fen("acme") == 0


@pytest.mark.parametrize(
    "yuan", ["", "0", "-5", "1.005", "1e9", "NaN", "一百", "99999999999999999999", "１００"]
)
def test_an_amount_that_is_none_is_refused_on_the_page(finance: Client, yuan: str) -> None:
    answer = finance.post(
        url("deposit_record", "acme"), {"yuan": yuan, "reference": "R", "value_date": "2026-01-05"}
    )
    assert answer.status_code == 422
    assert list(answer.context["deposit_form"].errors) == ["yuan"]
    assert not Deposit.objects.exists()


def test_the_same_reference_with_another_amount_is_refused(finance: Client, recorded: Deposit) -> None:
    answer = finance.post(
        url("deposit_record", "acme"), {"yuan": "1", "reference": "ICBC-1", "value_date": "2026-01-05"}
    )
    assert answer.status_code == 422
    assert "ICBC-1" in answer.text


def test_a_credit_line_is_never_smaller_than_what_was_used(finance: Client) -> None:
    finance.post(url("credit", "acme"), {"yuan": "100"})
    assert available_fen("acme") == 10_000
    with transaction(), schema_context("acme"):
        funds.draw(fen=8_000, reference="budget:1", at=timezone.now())
    assert finance.post(url("credit", "acme"), {"yuan": "79.99"}).status_code == 422
    with pytest.raises(CreditInUse):
        company = Company.objects.get(schema_name="acme")
        funds.set_credit_limit(company=company, fen=7_999, actor=None, at=timezone.now())
    assert finance.post(url("credit", "acme"), {"yuan": "80"}).status_code == 302
    assert FundsAccount.objects.get(company="acme").credit_limit_fen == 8_000


def test_opening_a_company_shows_the_seconds_and_a_link_that_works(operator: Client) -> None:
    form = {
        "name": "Initech",
        "schema": "initech",
        "domain": "initech.localhost",
        "owner_email": "ann@initech.example",
        "points_per_yuan": "10",
    }
    answer = operator.post(url("company_open"), form)
    assert answer.status_code == 200
    assert float(answer.context["seconds"]) >= 0
    path = answer.context["link"].split("localhost", 1)[1].split("/", 1)[1]
    assert Client(headers={"host": "initech.localhost"}).get(f"/{path}").status_code == 200
    again = operator.post(url("company_open"), form)
    assert "initech" in again.text
    assert Company.objects.filter(schema_name="initech").count() == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("schema", "public"),
        ("schema", "Bad Name"),
        ("schema", "select"),
        ("schema", "acme"),
        ("domain", "acme.localhost"),
        ("domain", "localhost"),
        ("domain", "http://x.example/"),
        ("credit_code", "91350100M000100Y44"),
        ("owner_email", "nobody"),
        ("points_per_yuan", "7"),
    ],
)
def test_a_company_that_cannot_be_opened_says_why(operator: Client, field: str, value: str) -> None:
    form = {
        "name": "X",
        "schema": "fresh",
        "domain": "fresh.localhost",
        "owner_email": "a@fresh.example",
        "points_per_yuan": "1",
        field: value,
    }
    before = Company.objects.count()
    answer = operator.post(url("company_open"), form)
    assert answer.status_code == 200
    assert answer.context["form"].errors
    assert Company.objects.count() == before


def test_suspending_closes_the_doors_until_it_is_resumed(
    operator: Client, django_capture_on_commit_callbacks: Any
) -> None:
    portal = Client(headers={"host": "acme.localhost"})
    assert portal.get("/accounts/login/").status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        operator.post(url("company_suspend", "acme"))
    assert portal.get("/accounts/login/").status_code == 503
    assert operator.post(url("company_suspend", "acme")).status_code == 409
    with django_capture_on_commit_callbacks(execute=True):
        operator.post(url("company_resume", "acme"))
    assert portal.get("/accounts/login/").status_code == 200


def test_a_link_is_given_only_to_who_has_no_password(operator: Client) -> None:
    with schema_context("acme"):
        new = User.objects.order_by("pk").first()
        old = somebody(Role.ADMIN, name="old")
        employee = somebody(Role.EMPLOYEE, name="employee")
    assert "/activate/" in operator.post(url("company_link", "acme", new.pk)).context["link"]
    assert operator.post(url("company_link", "acme", old.pk)).status_code == 302
    assert operator.post(url("company_link", "acme", employee.pk)).status_code == 404
    with schema_context("acme"):
        assert AuditEvent.objects.get(action="user.link_issued").actor == "olga@example.com"


def test_credentials_go_in_and_never_come_out(operator: Client) -> None:
    secret = {"app_id": "1", "app_secret": "s3cret-in", "mch_id": "2", "mch_secret": "s3cret-too"}
    form = {
        "slug": "south",
        "name": "South",
        "adapter": "goofish",
        "base_url": "http://127.0.0.1:9",
        "credentials": json.dumps(secret),
    }
    assert (
        operator.post(url("supplier_add"), form | {"credentials": "{"}).context["form"].errors["credentials"]
    )
    assert (
        operator.post(url("supplier_add"), form | {"credentials": '{"app_id": "1"}'}).context["form"].errors
    )
    assert operator.post(url("supplier_add"), form).status_code == 302
    assert operator.post(url("supplier_add"), form).context["form"].errors["slug"]
    page = operator.get(url("supplier", "south")).text
    assert "s3cret" not in page
    change = {"name": "South 2", "base_url": "http://127.0.0.1:9", "is_active": "on", "credentials": ""}
    assert operator.post(url("supplier_change", "south"), change).status_code == 302
    supplier = Supplier.objects.get(slug="south")
    assert (supplier.name, json.loads(supplier.credentials)) == ("South 2", secret)
    assert not [
        one for one in AuditEvent.objects.values_list("facts", flat=True) if "s3cret" in json.dumps(one)
    ]


def test_offers_are_added_changed_and_paused(operator: Client, offer: Offer) -> None:
    form = {
        "sku_code": "mobile-x-50",
        "supplier_code": "N50",
        "cost": "48.80",
        "priority": "5",
        "is_active": "on",
    }
    assert operator.post(url("offer", "north"), form).status_code == 302
    offer.refresh_from_db()
    assert (offer.cost_fen, offer.priority) == (4880, 5)
    assert operator.post(url("offer", "north"), form | {"sku_code": "nothing"}).status_code == 422
    operator.post(url("offer_pause", "north", offer.pk), {"for": "4h"})
    offer.refresh_from_db()
    assert offer.paused_until > timezone.now()
    operator.post(url("supplier_pause", "north"), {"for": "30m"})
    assert Supplier.objects.get(slug="north").paused_until > timezone.now()
    operator.post(url("supplier_pause", "north"))
    assert Supplier.objects.get(slug="north").paused_until is None


def test_a_case_is_decided_once_with_a_reason(operator: Client, finance: Client, delivery: Delivery) -> None:
    case = Case.objects.get()
    assert finance.post(url("case", case.pk), {"decision": "failed", "note": "x"}).status_code == 403
    assert operator.post(url("case", case.pk), {"decision": "failed", "note": ""}).status_code == 200
    assert operator.post(url("case", case.pk), {"decision": "other", "note": "x"}).status_code == 200
    assert Case.objects.get().status == Case.Status.OPEN
    assert (
        operator.post(url("case", case.pk), {"decision": "failed", "note": "phone call"}).status_code == 302
    )
    delivery.refresh_from_db()
    case.refresh_from_db()
    assert (case.status, case.closed_by, delivery.status) == ("closed", "olga@example.com", "failed")
    operator.post(url("case", case.pk), {"decision": "ask", "note": "again"})
    assert Case.objects.get().resolution == case.resolution


def test_an_unknown_attempt_is_sent_again_and_a_known_one_is_not(
    operator: Client, delivery: Delivery
) -> None:
    attempt = Attempt.objects.get()
    assert operator.post(url("send_again", delivery.pk, attempt.pk)).status_code == 302
    assert operator.post(url("send_again", delivery.pk, attempt.pk)).status_code == 409
    assert Attempt.objects.get().reference == attempt.reference
    assert operator.post(url("send_again", delivery.pk + 1, attempt.pk)).status_code == 404


def test_finance_changes_nothing_of_the_deliveries_and_operators_nothing_of_the_money(
    operator: Client, finance: Client, delivery: Delivery, deposit: Deposit
) -> None:
    for client, name, args in [
        (finance, "send_again", (delivery.pk, 1)),
        (finance, "codes", (delivery.pk,)),
        (finance, "supplier_pause", ("north",)),
        (finance, "company_suspend", ("acme",)),
        (operator, "deposit_record", ("acme",)),
        (operator, "deposit_confirm", (deposit.pk,)),
        (operator, "credit", ("acme",)),
        (operator, "staff", ()),
        (operator, "audit", ()),
    ]:
        assert client.post(url(name, *args)).status_code == 403, name


def test_staff_are_invited_given_roles_and_closed(administrator: Client) -> None:
    form = {"name": "Nina", "email": "Nina@example.com", "roles": ["operator"]}
    invited = administrator.post(url("staff"), form)
    assert "/activate/" in invited.context["link"]
    assert administrator.post(url("staff"), form).context["form"].errors["email"]
    nina = User.objects.get(username="nina@example.com")
    administrator.post(url("member", nina.pk), {"roles": ["platform_finance"]})
    assert User.objects.get(pk=nina.pk).roles == {"platform_finance"}
    assert administrator.post(url("member", nina.pk), {"roles": ["admin"]}).status_code == 200
    administrator.post(url("member_close", nina.pk))
    assert not User.objects.get(pk=nina.pk).is_active
    own = User.objects.get(name="ada").pk
    assert administrator.post(url("member_close", own)).status_code == 403
    assert administrator.post(url("member", own), {"roles": ["operator"]}).status_code == 403


def test_add_operator_prints_a_link_that_works(public: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command(
        "add_operator",
        "Olga@Example.com",
        "--roles",
        "operator",
        "platform_finance",
        "--name",
        "Olga",
        "--json",
    )
    printed = json.loads(capsys.readouterr().out)
    assert (printed["login"], printed["roles"]) == ("olga@example.com", ["operator", "platform_finance"])
    path = "/" + printed["activation_url"].split("/", 3)[3]
    assert client_of(None).get(path).status_code == 200
    for wrong, code in ((["olga@example.com"], "user_exists"), (["nonsense"], "bad_usage")):
        with pytest.raises(SystemExit) as stop:
            call_command("add_operator", *wrong, "--roles", "operator", "--json")
        assert stop.value.code == 2
        assert json.loads(capsys.readouterr().out)["error"]["code"] == code
