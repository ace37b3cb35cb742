"""Deposits from the record to the receipt, and back where one was a mistake."""

import io
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings
from django_tenants.utils import schema_context

from benefits.funds import operations, queries, receipts, slips
from benefits.funds.errors import (
    CreditInUse,
    DepositExists,
    DepositNotReversible,
    InsufficientFunds,
    InvalidAmount,
    InvalidValueDate,
    ReceiptNotFound,
    ReversalNotCovered,
    SecondPersonNeeded,
    SlipTooLarge,
    SlipUnreadable,
)
from benefits.funds.models import Deposit, DepositReversal, FundsEntry, Receipt
from benefits.points import operations as points
from reports import books
from tenants.errors import IllegalTransition
from tenants.identity.models import User
from tenants.models import Company
from tests import factories
from tests.db.funds import papers
from tests.factories import AT
from tests.races import at_once as run_at_once


def person(name: str) -> User:
    with schema_context("public"):
        return User.objects.get_or_create(username=name)[0]


def record(company: Company, fen: int = 10_000, reference: str = "", **more: object) -> Deposit:
    with schema_context("public"):
        return operations.record_deposit(
            company=company,
            fen=fen,
            reference=reference or f"B-{uuid4().hex[:8]}",
            **{"actor": person("fei"), "at": AT, **more},  # type: ignore[arg-type]
        )


def confirm(deposit: Deposit, by: str = "feng") -> Deposit:
    with schema_context("public"):
        return operations.confirm_deposit(deposit=deposit, actor=person(by), at=AT)


def reverse(deposit: Deposit, by: str = "feng") -> FundsEntry:
    with schema_context("public"):
        asked = operations.ask_reversal(deposit=deposit, reason="typed twice", actor=person("fei"), at=AT)
        return operations.reverse_deposit(reversal=asked, actor=person(by), at=AT)


def test_a_confirmed_deposit_has_a_receipt_that_says_everything(acme: Company) -> None:
    deposit = record(acme, 1_640_902, "ICBC-7", payer="Acme Holding", value_date=date(2026, 3, 1))
    receipt = Receipt.objects.get(deposit=confirm(deposit))
    kept = receipts.Printed.of_json(receipt.snapshot)
    assert receipt.number == f"SJ2026-{receipt.serial:06d}" == kept.number
    assert (kept.payer, kept.reference, kept.value_date) == ("Acme Holding", "ICBC-7", date(2026, 3, 1))
    assert (kept.fen, kept.capitals) == (1_640_902, "壹万陆仟肆佰零玖元零贰分")
    assert (kept.seller, kept.seller_code) == (settings.SELLER["name"], settings.SELLER["credit_code"])
    assert kept.company == acme.name
    acme.name = "Renamed"
    acme.save()
    assert receipts.Printed.of_json(queries.find_receipt(number=kept.number).snapshot) == kept
    assert confirm(deposit).pk == deposit.pk
    assert Receipt.objects.filter(deposit=deposit).count() == 1
    assert books.verify([acme]) == []


def test_receipts_are_numbered_without_gaps_whatever_fails(acme: Company, globex: Company) -> None:
    first = Receipt.objects.get(deposit=confirm(record(acme))).serial
    waiting = record(globex)
    with pytest.raises(SecondPersonNeeded):
        confirm(waiting, by="fei")
    rejected = record(acme)
    with schema_context("public"):
        operations.reject_deposit(deposit=rejected, actor=person("fei"), at=AT)
    with pytest.raises(IllegalTransition):
        confirm(rejected)
    assert Receipt.objects.get(deposit=confirm(waiting)).serial == first + 1
    with pytest.raises(ReceiptNotFound):
        queries.find_receipt(number=waiting.receipt.number, schema="acme")
    next_year = record(acme)
    with schema_context("public"):
        operations.confirm_deposit(deposit=next_year, actor=None, at=AT.replace(year=2027, month=1, day=1))
    assert next_year.receipt.number == "SJ2027-000001"


@pytest.mark.parametrize("fen", [0, -1, operations.MOST_FEN + 1])
def test_an_amount_that_is_none_is_refused(acme: Company, fen: int) -> None:
    with pytest.raises(InvalidAmount):
        record(acme, fen)


def test_a_transfer_is_recorded_once_and_not_from_the_future(acme: Company) -> None:
    first = record(acme, 100, "R-1", value_date=AT.date())
    assert record(acme, 100, "R-1") == first
    with pytest.raises(DepositExists):
        record(acme, 101, "R-1")
    with pytest.raises(InvalidValueDate):
        record(acme, 100, "R-2", value_date=AT.date() + timedelta(days=1))


@pytest.mark.parametrize(
    ("kind", "data"),
    [("pdf", papers.PDF), ("png", papers.PNG), ("jpg", papers.JPEG)],
    ids=["pdf", "png", "jpg"],
)
def test_a_slip_is_kept_sealed_for_its_company(acme: Company, kind: str, data: bytes) -> None:
    slip = slips.read(io.BytesIO(data))  # type: ignore[arg-type]
    assert slip.kind == kind
    deposit = record(acme, slip=slip)
    stored = Path(settings.MEDIA_ROOT) / "acme" / str(deposit.slip.name)
    assert stored.exists()
    assert data[:16] not in stored.read_bytes()
    deposit.refresh_from_db()
    assert slips.open_slip(deposit) == slip
    confirm(deposit)
    sealed = bytearray(stored.read_bytes())
    sealed[len(sealed) // 2] ^= 1
    stored.write_bytes(bytes(sealed))
    with pytest.raises(Exception):  # noqa: B017, PT011  a broken store crashes, whatever the cipher calls it
        slips.open_slip(deposit)


@pytest.mark.parametrize("name", papers.RUBBISH)
def test_what_is_no_whole_slip_is_refused(name: str) -> None:
    with pytest.raises(SlipUnreadable):
        slips.read(io.BytesIO(papers.RUBBISH[name]))  # type: ignore[arg-type]


def test_a_slip_is_not_larger_than_what_is_kept() -> None:
    with pytest.raises(SlipTooLarge):
        slips.read(io.BytesIO(papers.PDF + b" " * slips.MOST_BYTES))  # type: ignore[arg-type]


def test_a_slip_of_a_deposit_that_is_not_written_is_removed(
    acme: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object, **_more: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr("tenants.audit.record", full)
    folder = Path(settings.MEDIA_ROOT) / "acme" / "slips"
    before = set(folder.glob("*"))
    with pytest.raises(OSError, match="no space"):
        record(acme, slip=slips.Slip(papers.PDF, "pdf"))
    assert set(folder.glob("*")) == before


def test_a_mistake_is_taken_out_by_a_second_person(acme: Company) -> None:
    deposit = confirm(record(acme, 5_000))
    with pytest.raises(SecondPersonNeeded):
        reverse(deposit, by="fei")
    asked = DepositReversal.objects.get()
    with schema_context("public"):
        operations.refuse_reversal(reversal=asked, actor=person("fei"), at=AT)
        with pytest.raises(IllegalTransition):
            operations.reverse_deposit(reversal=asked, actor=person("feng"), at=AT)
    entry = reverse(deposit)
    assert (entry.kind, entry.fen, entry.reverses.reference) == ("reverse", -5_000, f"deposit:{deposit.pk}")
    assert queries.available_fen("acme") == 0
    assert queries.reversed_deposits([deposit.pk]) == {deposit.pk}
    assert Receipt.objects.filter(deposit=deposit).exists(), "the receipt stays"
    with pytest.raises(DepositNotReversible):
        reverse(deposit)
    with pytest.raises(DepositNotReversible):
        reverse(record(acme))
    assert books.verify([acme]) == []


def test_what_was_loaded_or_is_held_cannot_be_reversed(acme: Company) -> None:
    deposit = confirm(record(acme, 5_000))
    operations.set_credit_limit(company=acme, fen=10_000, actor=None, at=AT)
    budget = factories.a_budget()
    points.load_budget(budget=budget, fen=1, request_key=uuid4(), actor=None, at=AT)
    with pytest.raises(ReversalNotCovered):
        reverse(deposit)
    assert DepositReversal.objects.get().status == "asked", (
        "it may be decided again once budgets are returned"
    )
    points.unload_budget(budget=budget, fen=1, request_key=uuid4(), actor=None, at=AT)
    held = operations.hold(company=acme, fen=1, reason="audit", actor=None, at=AT)
    with schema_context("public"), pytest.raises(ReversalNotCovered):
        operations.reverse_deposit(reversal=DepositReversal.objects.get(), actor=person("feng"), at=AT)
    operations.release(held=held, actor=None, at=AT)
    with schema_context("public"):
        operations.reverse_deposit(reversal=DepositReversal.objects.get(), actor=person("feng"), at=AT)
    assert queries.account_of("acme").balance_fen == 0


def test_what_is_held_is_not_loaded(acme: Company) -> None:
    confirm(record(acme, 5_000))
    budget = factories.a_budget()
    for fen in (0, 5_001):
        with pytest.raises((InvalidAmount, InsufficientFunds)):
            operations.hold(company=acme, fen=fen, reason="x", actor=None, at=AT)
    held = operations.hold(company=acme, fen=4_000, reason="audit", actor=None, at=AT)
    with pytest.raises(InsufficientFunds) as error:
        points.load_budget(budget=budget, fen=1_001, request_key=uuid4(), actor=None, at=AT)
    assert error.value.details["available_fen"] == 1_000
    points.load_budget(budget=budget, fen=1_000, request_key=uuid4(), actor=None, at=AT)
    operations.set_credit_limit(company=acme, fen=500, actor=None, at=AT)
    points.load_budget(budget=budget, fen=500, request_key=uuid4(), actor=None, at=AT)
    with pytest.raises(CreditInUse):
        operations.set_credit_limit(company=acme, fen=499, actor=None, at=AT)
    operations.release(held=held, actor=None, at=AT)
    assert operations.release(held=held, actor=None, at=AT).released_by == "system"
    assert queries.available_fen("acme") == 4_000
    assert books.verify([acme]) == []


def test_a_statement_opens_where_the_one_before_closed(acme: Company) -> None:
    budget = factories.a_budget()
    for day, fen in enumerate((1_000, 2_000, 4_000)):
        factories.a_deposit(fen, at=AT + timedelta(days=day))
        points.load_budget(
            budget=budget, fen=fen // 2, request_key=uuid4(), actor=None, at=AT + timedelta(days=day, hours=1)
        )
    account, first = queries.account_of("acme"), AT.date()
    whole = queries.statement(account, first=None, last=None)
    assert (whole.opening_fen, whole.in_fen, whole.out_fen, whole.closing_fen) == (0, 7_000, 3_500, 3_500)
    assert [line.running_fen for line in whole.lines] == [1_000, 500, 2_500, 1_500, 5_500, 3_500]  # type: ignore[attr-defined]
    one = queries.statement(account, first=first + timedelta(days=1), last=first + timedelta(days=1))
    assert (one.opening_fen, one.closing_fen) == (500, 1_500)
    assert [line.running_fen for line in one.lines[1:]] == [1_500]  # type: ignore[attr-defined]
    assert (
        queries.statement(account, first=first + timedelta(days=2), last=None).opening_fen == one.closing_fen
    )
    assert queries.statement(account, first=None, last=first - timedelta(days=1)).closing_fen == 0


def test_many_confirm_at_once_and_no_number_is_lost(
    race_company: Company, at_once: Callable[..., list[object]]
) -> None:
    found = [record(race_company) for _ in range(4)]
    person("feng")
    answers = at_once(*(lambda one=one: confirm(one) for one in [*found, *found]))
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    serials = sorted(Receipt.objects.values_list("serial", flat=True))
    assert serials == list(range(serials[0], serials[0] + 4))
    assert queries.available_fen("acme") == 40_000
    assert books.verify([race_company]) == []


def test_a_reversal_and_a_load_of_the_same_money(race_company: Company) -> None:
    deposit = confirm(record(race_company, 1_000))
    budget = factories.a_budget()
    with schema_context("public"):
        asked = operations.ask_reversal(deposit=deposit, reason="x", actor=person("fei"), at=AT)
    feng = person("feng")

    def undo() -> object:
        with schema_context("public"):
            return operations.reverse_deposit(reversal=asked, actor=feng, at=AT)

    answers = run_at_once(
        undo,
        lambda: points.load_budget(budget=budget, fen=1_000, request_key=uuid4(), actor=None, at=AT),
        company=race_company,
    )
    lost = [answer for answer in answers if isinstance(answer, Exception)]
    assert len(lost) == 1
    assert isinstance(lost[0], (ReversalNotCovered, InsufficientFunds))
    assert queries.account_of("acme").balance_fen == 0
    assert books.verify([race_company]) == []
