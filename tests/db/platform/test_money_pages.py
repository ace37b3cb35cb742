"""Deposits, receipts, reversals and holds on the platform's console."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from benefits.funds import slips
from benefits.funds.models import Deposit, DepositReversal, FundsAccount, FundsHold
from benefits.funds.queries import available_fen
from tenants.identity.models import AuditEvent
from tests.db.funds import papers


def url(name: str, *args: object) -> str:
    return reverse(f"platform_{name}", args=args, urlconf="config.urls_platform")


def record(client: Client, **changes: Any) -> Any:
    fields = {
        "yuan": "10,000",
        "reference": "ICBC-1",
        "value_date": "2026-01-05",
        "payer": "Acme Holding",
        **changes,
    }
    return client.post(url("deposit_record", "acme"), fields)


@pytest.fixture
def confirmed(finance: Client, second_finance: Client) -> Deposit:
    record(finance, slip=SimpleUploadedFile("回单.pdf", papers.PDF))
    deposit = Deposit.objects.get()
    second_finance.post(url("deposit_confirm", deposit.pk))
    deposit.refresh_from_db()
    return deposit


def test_a_deposit_comes_with_its_papers(finance: Client, operator: Client, confirmed: Deposit) -> None:
    assert (confirmed.payer, confirmed.slip_kind, str(confirmed.value_date)) == (
        "Acme Holding",
        "pdf",
        "2026-01-05",
    )
    page = finance.get(url("deposit", confirmed.pk)).text
    assert url("deposit_slip", confirmed.pk) in page
    assert url("receipt", confirmed.receipt.number) in page
    slip = finance.get(url("deposit_slip", confirmed.pk))
    assert (slip.content, slip["X-Content-Type-Options"]) == (papers.PDF, "nosniff")
    assert slip["Content-Disposition"].startswith("attachment;")
    assert AuditEvent.objects.filter(action="deposit.slip_opened").count() == 1
    assert operator.get(url("deposit_slip", confirmed.pk)).status_code == 403
    assert url("deposit_slip", confirmed.pk) not in operator.get(url("deposit", confirmed.pk)).text
    assert "壹万元整" in operator.get(url("receipt", confirmed.receipt.number)).text
    assert operator.get(url("receipt", "SJ2020-000001")).status_code == 404


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("value_date", "2999-01-01"),
        ("value_date", "yesterday"),
        ("value_date", ""),
        ("payer", "p" * 121),
        ("reference", "r" * 61),
        ("reference", ""),
        ("reference", "a\x00b"),
        ("yuan", "1000000000"),
        *(("slip", data) for name, data in papers.RUBBISH.items() if data),
        ("slip", b""),
        ("slip", papers.PDF + b" " * slips.MOST_BYTES),
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) < 30 else "data",
)
def test_bad_input_names_its_field(finance: Client, field: str, value: Any) -> None:
    content = SimpleUploadedFile("slip.pdf", value) if isinstance(value, bytes) else value
    answer = record(finance, **{field: content})
    assert answer.status_code == 422
    assert list(answer.context["deposit_form"].errors) == [field]
    assert not Deposit.objects.exists()


def test_a_mistake_is_reversed_by_two(finance: Client, second_finance: Client, confirmed: Deposit) -> None:
    assert finance.post(url("reversal_ask", confirmed.pk), {"reason": ""}).status_code == 422
    assert finance.post(url("reversal_ask", confirmed.pk), {"reason": "typed twice"}).status_code == 302
    again = finance.post(url("reversal_ask", confirmed.pk), {"reason": "typed twice"})
    assert again.status_code == 422
    asked = DepositReversal.objects.get()
    assert "typed twice" in second_finance.get(url("deposits")).text
    assert finance.post(url("reversal_confirm", asked.pk)).status_code == 403
    assert second_finance.post(url("reversal_confirm", asked.pk)).status_code == 302
    assert second_finance.post(url("reversal_confirm", asked.pk)).status_code == 409
    assert available_fen("acme") == 0
    page = finance.get(url("company_funds", "acme"))
    assert page.context["sums"]["closing"] == "¥0.00"
    assert list(AuditEvent.objects.filter(action__startswith="deposit.rev").order_by("pk").values_list("action", flat=True)) == [
        "deposit.reversal_asked",
        "deposit.reversed",
    ]  # fmt: skip


def test_a_reversal_may_be_taken_back(finance: Client, confirmed: Deposit) -> None:
    finance.post(url("reversal_ask", confirmed.pk), {"reason": "no"})
    asked = DepositReversal.objects.get()
    assert finance.post(url("reversal_refuse", asked.pk)).status_code == 302
    assert finance.post(url("reversal_refuse", asked.pk)).status_code == 409
    assert available_fen("acme") == 1_000_000


def test_a_hold_is_set_and_released(finance: Client, operator: Client, confirmed: Deposit) -> None:
    for yuan in ("0", "x", "10000.01", "1.005", ""):
        wrong = finance.post(url("hold", "acme"), {"yuan": yuan, "reason": "audit"})
        assert wrong.status_code == 422
        assert list(wrong.context["hold_form"].errors) == ["yuan"], yuan
    assert list(finance.post(url("hold", "acme"), {"yuan": "1"}).context["hold_form"].errors) == ["reason"]
    assert finance.post(url("hold", "acme"), {"yuan": "9,000", "reason": "audit"}).status_code == 302
    assert available_fen("acme") == 100_000
    assert "¥9,000" in operator.get(url("company", "acme")).text
    held = FundsHold.objects.get()
    assert url("hold_release", held.pk) not in operator.get(url("company_funds", "acme")).text
    assert finance.post(url("hold_release", held.pk)).status_code == 302
    assert finance.post(url("hold_release", held.pk)).status_code == 302
    assert available_fen("acme") == 1_000_000


def test_the_credit_line_has_a_history(finance: Client) -> None:
    for yuan in ("100", "250"):
        finance.post(url("credit", "acme"), {"yuan": yuan})
    rows = finance.get(url("company_funds", "acme")).context["credits"]
    assert [(row["before"], row["after"]) for row in rows] == [("¥100.00", "¥250.00"), ("¥0.00", "¥100.00")]
    assert FundsAccount.objects.get(company="acme").credit_limit_fen == 25_000


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("deposit", (999,)),
        ("deposit_slip", (999,)),
        ("receipt", ("nothing",)),
        ("company_funds", ("nowhere",)),
    ],
)
def test_what_is_not_there_is_not_found(finance: Client, name: str, args: tuple[object, ...]) -> None:
    assert finance.get(url(name, *args)).status_code == 404


@pytest.mark.parametrize(
    "name", ["hold", "reversal_ask", "reversal_confirm", "reversal_refuse", "hold_release"]
)
def test_only_finance_moves_money(operator: Client, name: str) -> None:
    assert operator.post(url(name, "acme" if name == "hold" else 1)).status_code == 403
