"""What an operator may change of a company after it was opened, and what is refused."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django_tenants.utils import tenant_context

from benefits.points.errors import PointsRateFixed
from tenants import operations
from tenants.errors import ColourTooLight, InvalidColour, InvalidCreditCode
from tenants.identity.models import AuditEvent
from tenants.middleware import find_company
from tenants.models import Company
from tests.factories import AT, an_employee

CODE = "91350100M000100Y43"
URLCONF = "config.urls_platform"
FACTS = {
    "name": "Acme 科技有限公司",
    "short_name": "Acme",
    "credit_code": CODE,
    "address": "北京市海淀区 1 号",
    "phone": "010-12345678",
    "bank_name": "示例银行",
    "bank_account": "6222000000000000",
    "brand_colour": "#1F6F5C",
    "language": "en",
    "points_name": "福豆",
    "points_per_yuan": "10",
    "daily_limit_fen": "1,500.50",
    "others_allowed": "",
    "leaver_policy": "return",
    "leaver_grace_days": "30",
    "expiry_policy": "lapse",
    "refund_days": "14",
}


def url(name: str = "company_facts", schema: str = "acme") -> str:
    return reverse(f"platform_{name}", args=[schema], urlconf=URLCONF)


def the_company() -> Company:
    return Company.objects.get(schema_name="acme")


def test_an_operator_changes_everything_that_is_a_fact(operator: Client) -> None:
    answer = operator.post(url(), FACTS)
    assert answer.status_code == 302, answer.text
    company = the_company()
    typed = {
        **FACTS,
        "points_per_yuan": 10,
        "daily_limit_fen": 150_050,
        "others_allowed": False,
        "leaver_grace_days": 30,
        "refund_days": 14,
    }
    assert {name: getattr(company, name) for name in FACTS} == {**typed, "brand_colour": "#1f6f5c"}
    event = AuditEvent.objects.get(action="company.changed")
    assert {"credit_code", "daily_limit_fen", "others_allowed"} <= set(event.facts["changed"])
    assert CODE not in str(event.facts)


def test_the_page_shows_what_is_there_and_saving_it_changes_nothing(operator: Client) -> None:
    operator.post(url(), FACTS)
    page = operator.get(url())
    assert page.status_code == 200
    assert "1500.50" in page.text
    assert 'value="#1f6f5c"' in page.text
    assert operator.post(url(), FACTS).status_code == 302
    assert AuditEvent.objects.filter(action="company.changed").count() == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "),
        ("name", "x" * 121),
        ("name", "A\0B"),
        ("credit_code", "91350100M000100Y44"),
        ("credit_code", "１２３"),
        ("brand_colour", "green"),
        ("brand_colour", "#12345"),
        ("brand_colour", "#ffee00"),
        ("language", "fr"),
        ("points_per_yuan", "7"),
        ("daily_limit_fen", "a lot"),
        ("daily_limit_fen", ""),
        ("daily_limit_fen", "-1"),
        ("daily_limit_fen", "99999999999999"),
        ("points_name", "x" * 21),
    ],
)
def test_what_cannot_be_is_said_at_its_field(operator: Client, field: str, value: str) -> None:
    before = Company.objects.filter(schema_name="acme").values().get()
    answer = operator.post(url(), {**FACTS, field: value})
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert Company.objects.filter(schema_name="acme").values().get() == before
    assert not AuditEvent.objects.filter(action="company.changed").exists()


def test_what_a_point_is_worth_is_fixed_once_any_were_granted(operator: Client) -> None:
    company = the_company()
    rate = company.points_per_yuan
    with tenant_context(company):
        an_employee("Alice", with_fen=1000)
    assert operator.post(url(), FACTS).status_code == 302
    company.refresh_from_db()
    assert (company.points_per_yuan, company.points_name) == (rate, "福豆"), "the field is not taken"
    with pytest.raises(PointsRateFixed):
        operations.change_company(company=company, points_per_yuan=100, actor=None, at=AT)
    company.refresh_from_db()
    assert company.points_per_yuan == rate


def test_a_change_is_felt_at_once(public: None, django_capture_on_commit_callbacks: Any) -> None:
    company = the_company()
    assert find_company("acme.localhost") == company
    with django_capture_on_commit_callbacks(execute=True):
        operations.change_company(company=company, short_name="Neu", actor=None, at=AT)
    assert company.short_name == "Neu"
    found = find_company("acme.localhost")
    assert found is not None
    assert found.short_name == "Neu"


def test_without_a_credit_code_the_company_s_page_says_so_and_leads_there(
    operator: Client, finance: Client
) -> None:
    Company.objects.filter(schema_name="acme").update(credit_code="")
    assert f"{url()}#id_credit_code" in operator.get(url("company")).text
    read = finance.get(url("company"))
    assert read.status_code == 200
    assert url() not in read.text
    operator.post(url(), FACTS)
    assert "#id_credit_code" not in operator.get(url("company")).text


def test_only_operators_change_facts(finance: Client, administrator: Client) -> None:
    assert finance.get(url()).status_code == 403
    assert finance.post(url(), FACTS).status_code == 403
    assert administrator.get(url()).status_code == 200
    assert administrator.get(url(schema="nobody")).status_code == 404


@pytest.mark.parametrize(
    ("facts", "error"),
    [
        ({"credit_code": "1"}, InvalidCreditCode),
        ({"brand_colour": "#zzzzzz"}, InvalidColour),
        ({"brand_colour": "#ffffff"}, ColourTooLight),
        ({"schema_name": "other"}, TypeError),
    ],
)
def test_the_operation_checks_for_every_door(
    public: None, facts: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        operations.change_company(company=the_company(), **facts, actor=None, at=datetime.now(UTC))
