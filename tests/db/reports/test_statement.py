"""The statement equals the ledger: opening and movements make closing, month after month."""

import random
from datetime import timedelta
from itertools import pairwise

import pytest
from django_tenants.utils import tenant_context

from benefits.funds.models import FundsAccount
from benefits.points.models import Account
from reports.invoices import operations
from reports.periods import InvalidMonth, Month, begun
from reports.statement import Section, Statement, statement
from tests.db.reports.bookkeeping import SKUS, Books, china

DECEMBER, JANUARY, FEBRUARY = Month(2025, 12), Month(2026, 1), Month(2026, 2)
AT = china("2026-02-20 09:00")


def of(books: Books, month: Month) -> Statement:
    return statement(company=books.company, month=month, at=AT)


def section(report: Statement, kind: str) -> Section:
    return next(one for one in report.sections if one.kind == kind)


def moved(report: Statement, kind: str) -> dict[str, int]:
    return {one.kind: one.fen for one in section(report, kind).movements}


def test_a_worked_example(books: Books) -> None:
    books.deliver("cmcc-50", "video-month", at=china("2026-01-10 10:00"))
    (failed,) = books.order("ecard-100", at=china("2026-01-31 23:00"))
    books.settle(failed, delivered=False, at=china("2026-02-01 00:00"))
    december, january, february = (of(books, month) for month in (DECEMBER, JANUARY, FEBRUARY))
    assert moved(december, "funds") == {"deposit": 1_000_000, "load": -800_000}
    assert moved(december, "budget") == {"load": 800_000, "grant": -500_000}
    assert (section(january, "funds").opening_fen, section(january, "funds").movements) == (200_000, ())
    assert moved(january, "wallet") == {"redeem": -18_333}
    assert moved(january, "held") == {"redeem": 18_333, "deliver": -8_333}
    assert section(january, "held").closing_fen == 10_000
    assert moved(february, "wallet") == {"refund": 10_000}
    assert section(february, "wallet").closing_fen == 500_000 - 8_333
    assert (january.delivered_fen, january.billed_fen, january.unbilled_fen) == (8_333, 0, 8_333)
    assert [report.problems for report in (december, january, february)] == [(), (), ()]


def test_what_is_billed_is_told_by_the_time_of_the_ledger(books: Books) -> None:
    (kept,) = books.deliver("cmcc-50", at=china("2026-01-31 23:59:59"))
    operations.issue(company=books.company, month=JANUARY, actor=None, at=china("2026-02-01 01:00"))
    books.reverse(kept, at=china("2026-02-02 10:00"))
    operations.issue(company=books.company, month=FEBRUARY, actor=None, at=AT)
    january, february = of(books, JANUARY), of(books, FEBRUARY)
    assert (january.delivered_fen, january.billed_fen) == (5000, 5000)
    assert (february.delivered_fen, february.billed_fen) == (-5000, -5000)
    assert [january.problems, february.problems] == [(), ()]


@pytest.mark.parametrize("seed", range(3))
def test_any_history_adds_up(books: Books, seed: int) -> None:
    dice, at, delivered = random.Random(seed), china("2025-12-02 00:00"), []
    for _ in range(40):
        at += timedelta(hours=dice.randint(1, 48))
        match dice.choice(["grant", "order", "deliver", "refund", "reverse"]):
            case "grant":
                books.grant(dice.randint(1, 500), at=at)
            case "deliver":
                delivered += books.deliver(dice.choice(list(SKUS)), at=at)
            case "refund":
                (item,) = books.order(dice.choice(list(SKUS)), at=at)
                books.settle(item, delivered=False, at=at)
            case "reverse" if delivered:
                books.reverse(delivered.pop(), at=at)
            case _:
                books.order(dice.choice(list(SKUS)), at=at)
        if dice.random() < 0.2:
            operations.issue(
                company=books.company, month=Month.of(at), actor=None, at=at + timedelta(seconds=1)
            )
    months = [DECEMBER]
    while months[-1].ends_at <= at:
        months.append(months[-1].next)
    reports = [statement(company=books.company, month=month, at=at) for month in months]
    assert not any(report.problems for report in reports)
    for before, after in pairwise(reports):
        assert [s.closing_fen for s in before.sections] == [s.opening_fen for s in after.sections]
    with tenant_context(books.company):
        stored = {
            "funds": FundsAccount.objects.get(company="acme").balance_fen,
            "wallet": Account.objects.get(kind="wallet").balance_fen,
            "budget": Account.objects.get(kind="budget").balance_fen,
        }
    assert {kind: section(reports[-1], kind).closing_fen for kind in stored} == stored
    assert all(report.delivered_fen == report.billed_fen + report.unbilled_fen for report in reports)


def test_months() -> None:
    assert str(Month.parse("2026-01")) == "2026-01"
    assert (JANUARY.previous, JANUARY.next, FEBRUARY.last_day.day) == (DECEMBER, FEBRUARY, 28)
    assert Month(2028, 2).last_day.day == 29
    assert Month.of(china("2026-01-31 23:59:59")) == JANUARY
    assert JANUARY.ends_at == china("2026-02-01 00:00")
    for text in ("2026-13", "26-01", "2026-1", "2026-01 ", "1999-01", "", "２０２６-01"):
        with pytest.raises(InvalidMonth):
            Month.parse(text)
    with pytest.raises(InvalidMonth):
        begun("2026-03", at=AT)
    assert begun("2026-02", at=AT) == FEBRUARY
