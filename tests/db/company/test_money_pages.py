"""Budgets and funds on the company's console: terms, moves, closing, statement, receipts, slips, warning."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_tenants.utils import schema_context

from benefits.catalogue import seed
from benefits.funds import operations as funds
from benefits.funds import queries, slips
from benefits.funds.models import Deposit, Receipt
from benefits.points import budgets
from benefits.points import operations as points
from benefits.points.models import Budget
from benefits.points.queries import figures_of
from tenants.identity.models import AuditEvent
from tenants.identity.roles import Role
from tenants.models import Company
from tests import factories
from tests.db.funds import papers
from tests.people import client_of, somebody

Door = Callable[..., Client]


def text(response: Any) -> str:
    return response.content.decode()


@pytest.fixture
def finance(signed_in: Door) -> Client:
    return signed_in("finance")


@pytest.fixture
def deposit(acme: Company) -> Deposit:
    """A confirmed deposit with a slip."""
    slip = slips.Slip(papers.PDF, "pdf")
    now = timezone.now()
    made = funds.record_deposit(
        company=acme, fen=1_000_000, reference="ICBC-9", payer="Acme Holding", slip=slip, actor=None, at=now
    )
    return funds.confirm_deposit(deposit=made, actor=None, at=now)


def terms(budget: Budget | None = None, **changes: str) -> dict[str, Any]:
    today = timezone.localdate()
    return {
        "name": budget.name if budget else "Festival",
        "owner": "Hana",
        "from_date": (budget.from_date if budget else today).isoformat(),
        "to_date": "",
        "at_end": "stay",
        **changes,
    }


def move(hr: Client, source: Budget, target: Budget, amount: str, **more: str) -> Any:
    fields = {"move-target": str(target.pk), "move-amount": amount, "move-request_key": str(uuid4()), **more}
    return hr.post(reverse("company_budget_move", args=[source.pk]), fields)


def test_a_budget_is_opened_with_all_its_terms(hr: Client, acme: Company) -> None:
    heir = factories.a_budget(at=timezone.now())
    factories.a_department("Sales/North")
    fields = terms(cost_centre="CC-1", department="Sales/North", at_end="carry", carry_to=str(heir.pk))
    assert hr.post(reverse("company_budget_new"), fields).status_code == 302
    made = Budget.objects.get(name="Festival")
    assert (made.cost_centre, made.department, made.at_end, made.carry_to) == (
        "CC-1",
        "Sales/North",
        "carry",
        heir,
    )
    page = text(hr.get(reverse("company_budget", args=[made.pk])))
    assert "CC-1" in page
    assert "Sales/North" in page
    assert f"goes over to “{heir.name}”" in page


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("department", "Nowhere"),
        ("at_end", "burn"),
        ("carry_to", "999999"),
        ("carry_to", "x"),
        ("to_date", "2020-01-01"),
        ("to_date", "31/12"),
        ("categories", "no-such"),
        ("name", "n" * 81),
        ("owner", "a\x00b"),
        ("cost_centre", "c" * 41),
    ],
)
def test_a_term_that_is_none_is_named(hr: Client, acme: Company, field: str, value: str) -> None:
    for url in (
        reverse("company_budget_new"),
        reverse("company_budget_edit", args=[factories.a_budget(at=timezone.now()).pk]),
    ):
        response = hr.post(url, terms(**{field: value}))
        assert response.status_code == 422
        assert list(response.context["form"].errors) == [field]


def test_what_the_operation_refuses_stands_at_its_field(hr: Client, acme: Company) -> None:
    seed.seed()
    now = timezone.now()
    budget = factories.a_budget(1_000, categories=["phone"], at=now)
    factories.grant(budget, {factories.an_employee(): 100}, at=now)
    url = reverse("company_budget_edit", args=[budget.pk])
    known = hr.get(url).context["form"].fields["categories"].choices
    other = next(slug for slug, _name in known if slug != "phone")
    narrower = hr.post(url, terms(budget, categories=other))
    assert list(narrower.context["form"].errors) == ["categories"]
    lacking = hr.post(url, terms(budget, at_end="carry"))
    assert list(lacking.context["form"].errors) == ["carry_to"]
    assert hr.post(url, terms(budget, owner="Lin")).status_code == 302
    budget.refresh_from_db()
    assert (budget.owner, budget.categories) == ("Lin", [])


def test_a_department_that_is_gone_stays_with_its_budget(hr: Client, acme: Company) -> None:
    budget = factories.a_budget(at=timezone.now())
    Budget.objects.filter(pk=budget.pk).update(department="Dissolved")
    url = reverse("company_budget_edit", args=[budget.pk])
    assert hr.post(url, terms(budget, department="Dissolved")).status_code == 302
    assert Budget.objects.get(pk=budget.pk).department == "Dissolved"


def test_points_move_between_budgets_and_the_page_says_so(hr: Client, acme: Company) -> None:
    now = timezone.now()
    source, target = factories.a_budget(10_000, at=now), factories.a_budget(at=now)
    key = str(uuid4())
    for _ in range(2):
        answer = move(hr, source, target, "40.50", **{"move-request_key": key})
        assert answer["Location"] == reverse("company_budget", args=[source.pk])
    assert figures_of(target).moved_in_fen == 4_050
    page = text(hr.get(reverse("company_budget", args=[target.pk])))
    assert f"moved here from “{source.name}”" in page
    for amount, field in (
        ("99.99", "amount"),
        ("0", "amount"),
        ("1e3", "amount"),
        ("-1", "amount"),
        ("", "amount"),
    ):
        wrong = move(hr, source, target, amount)
        assert wrong.status_code == 422
        assert list(wrong.context["move_form"].errors) == [field], amount
    for other in (source, Budget(pk=999_999)):
        wrong = move(hr, source, other, "1")
        assert list(wrong.context["move_form"].errors) == ["target"]
    assert figures_of(source).left_fen == 5_950


def test_closing_asks_first_and_says_where_the_rest_goes(hr: Client, acme: Company) -> None:
    budget = factories.a_budget(10_000, at=timezone.now())
    asked = text(hr.get(reverse("company_budget", args=[budget.pk]), {"form": "close"}))
    assert "The ¥100.00 that it holds go back to the funds." in asked
    url = reverse("company_budget_close", args=[budget.pk])
    assert hr.get(url).status_code == 405
    assert hr.post(url).status_code == 302
    assert queries.available_fen("acme") == 10_000
    page = text(hr.get(reverse("company_budget", args=[budget.pk])))
    assert "Close it for good" not in page
    assert budget.name in text(hr.get(reverse("company_budgets"), {"show": "past"}))
    assert budget.name not in text(hr.get(reverse("company_budgets")))


def test_the_platforms_budget_is_nowhere(hr: Client, acme: Company) -> None:
    now = timezone.now()
    own, hidden = factories.a_budget(1_000, at=now), factories.a_budget(1_000, name="平台补偿", at=now)
    Budget.objects.filter(pk=hidden.pk).update(purpose=Budget.Purpose.GOODWILL)
    for name in ("company_budgets", "company_grant_new", "company_budget_new", "company_overview"):
        assert "平台补偿" not in text(hr.get(reverse(name))), name
    for name in ("company_budget", "company_budget_edit"):
        assert hr.get(reverse(name, args=[hidden.pk])).status_code == 404
    for name in (
        "company_budget_load",
        "company_budget_return",
        "company_budget_move",
        "company_budget_close",
    ):
        assert hr.post(reverse(name, args=[hidden.pk])).status_code == 404
    assert list(move(hr, own, hidden, "1").context["move_form"].errors) == ["target"]


def test_the_page_tells_what_needs_a_look(hr: Client, acme: Company) -> None:
    now = timezone.now()
    over = factories.a_budget(
        1_000, from_date=now.date() - timedelta(days=9), to_date=now.date() - timedelta(days=2),
        at=now - timedelta(days=5),
    )  # fmt: skip
    assert "still holds ¥10.00" in text(hr.get(reverse("company_budget", args=[over.pk])))
    assert "is over and holds ¥10.00" in text(hr.get(reverse("company_overview")))
    used = factories.a_budget(1_000, at=now)
    factories.grant(used, {factories.an_employee(): 800}, at=now)
    assert "80% of this budget is used" in text(hr.get(reverse("company_budget", args=[used.pk])))
    factories.grant(used, {factories.an_employee(): 200}, at=now)
    assert "All of this budget is used" in text(hr.get(reverse("company_budget", args=[used.pk])))
    assert "all used" in text(hr.get(reverse("company_budgets")))


def test_pages_take_the_same_queries_however_much_there_is(
    hr: Client, acme: Company, django_assert_max_num_queries: Any
) -> None:
    now = timezone.now()
    one = factories.a_budget(50_000, at=now)
    for _ in range(6):
        other = factories.a_budget(1_000, at=now)
        budgets.move_budget(source=one, target=other, fen=100, request_key=uuid4(), actor=None, at=now)
        factories.grant(one, {factories.an_employee(): 100}, at=now)
    hr.get(reverse("company_budgets"))
    for url, most in (
        (reverse("company_budgets"), 20),
        (reverse("company_budget", args=[one.pk]), 32),
        (reverse("company_funds"), 24),
        (reverse("company_funds_statement"), 20),
    ):
        with django_assert_max_num_queries(most):
            assert hr.get(url).status_code == 200


def test_the_statement_shows_a_period_with_balances_and_links(
    finance: Client, acme: Company, deposit: Deposit
) -> None:
    now = timezone.now()
    budget = factories.a_budget(at=now)
    points.load_budget(budget=budget, fen=400_000, request_key=uuid4(), actor=None, at=now)
    url = reverse("company_funds_statement")
    page = finance.get(url)
    assert page.context["sums"] == {
        "opening": "¥0.00", "came": "¥10,000.00", "went": "¥4,000.00", "closing": "¥6,000.00"
    }  # fmt: skip
    assert [row["balance"] for row in page.context["rows"]] == ["¥10,000.00", "¥6,000.00"]
    assert reverse("company_budget", args=[budget.pk]) in text(page)
    assert reverse("company_receipt", args=[deposit.receipt.number]) in text(page)
    assert "funds.xlsx" in text(page)
    tomorrow = (timezone.localdate() + timedelta(days=1)).isoformat()
    later = finance.get(url, {"first": tomorrow, "last": ""})
    assert (later.context["sums"]["opening"], later.context["rows"]) == ("¥6,000.00", [])
    for query in (
        {"first": "x"},
        {"last": "2026-13-01"},
        {"first": "2026-02-02", "last": "2026-02-01"},
        {"first": "\x00"},
    ):
        wrong = finance.get(url, query)
        assert wrong.status_code == 422, query
        assert wrong.context["form"].errors
    assert finance.get(url, {"page": "99", "all": "1"}).status_code == 200


def test_a_receipt_prints_what_was_kept_and_is_void_once_reversed(
    finance: Client, acme: Company, deposit: Deposit
) -> None:
    url = reverse("company_receipt", args=[deposit.receipt.number])
    page = text(finance.get(url))
    for part in (deposit.receipt.number, "壹万元整", "¥10,000.00", "Acme Holding", "ICBC-9"):
        assert part in page
    assert "Void" not in page
    asked = funds.ask_reversal(deposit=deposit, reason="twice", actor=finance.user, at=timezone.now())  # type: ignore[attr-defined]
    funds.reverse_deposit(reversal=asked, actor=None, at=timezone.now())
    assert "Void" in text(finance.get(url))
    assert "reversed" in text(finance.get(reverse("company_funds")))


def test_papers_of_another_company_are_not_found(finance: Client, acme: Company, globex: Company) -> None:
    made = funds.record_deposit(
        company=globex,
        fen=100,
        reference="G",
        slip=slips.Slip(papers.PNG, "png"),
        actor=None,
        at=timezone.now(),
    )
    funds.confirm_deposit(deposit=made, actor=None, at=timezone.now())
    number = Receipt.objects.get(deposit=made).number
    assert finance.get(reverse("company_receipt", args=[number])).status_code == 404
    assert finance.get(reverse("company_deposit_slip", args=[made.pk])).status_code == 404


@pytest.mark.parametrize(
    ("role", "status"), [("finance", 200), ("admin", 200), ("hr", 403), ("approver", 403)]
)
def test_a_slip_is_for_those_who_pay(acme: Company, deposit: Deposit, role: str, status: int) -> None:
    client = client_of(somebody(Role(role)), host="acme.localhost")
    url = reverse("company_deposit_slip", args=[deposit.pk])
    answer = client.get(url)
    assert answer.status_code == status
    assert (url in text(client.get(reverse("company_funds")))) == (status == 200)
    if status == 200:
        assert answer.content == papers.PDF
        assert answer["Content-Type"] == "application/pdf"
        assert answer["Content-Disposition"].startswith("attachment;")
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert AuditEvent.objects.filter(action="deposit.slip_opened").count() == 1


def test_finance_sets_the_mark_below_which_it_is_told(finance: Client, hr: Client, acme: Company) -> None:
    url = reverse("company_funds_warning")
    assert hr.post(url, {"mark": "1"}).status_code == 403
    for wrong in ("0", "-1", "1.005", "x", "９"):
        answer = finance.post(url, {"mark": wrong})
        assert answer.status_code == 422
        assert list(answer.context["warning_form"].errors) == ["mark"]
    assert finance.post(url, {"mark": "1,000"}).status_code == 302
    assert queries.account_of("acme").warn_below_fen == 100_000
    assert "The funds are low" in text(finance.get(reverse("company_funds")))
    assert "The funds are low" in text(finance.get(reverse("company_overview")))
    assert "¥1,000.00" in text(hr.get(reverse("company_funds")))
    assert finance.post(url, {"mark": ""}).status_code == 302
    assert queries.account_of("acme").warn_below_fen is None


def test_what_is_held_is_told_with_its_reason(finance: Client, acme: Company, deposit: Deposit) -> None:
    with schema_context("public"):
        funds.hold(company=acme, fen=900_000, reason="账户核查", actor=None, at=timezone.now())
    page = text(finance.get(reverse("company_funds")))
    assert "账户核查" in page
    assert "¥1,000.00" in page


def test_the_pages_speak_chinese(hr: Client, acme: Company, deposit: Deposit) -> None:
    budget = factories.a_budget(1_000, at=timezone.now())
    hr.cookies["language"] = "zh-hans"
    for url, words in (
        (reverse("company_budget", args=[budget.pk]), ("资金去向", "划转到其他预算", "到期余额处理")),
        (reverse("company_budget_edit", args=[budget.pk]), ("成本中心", "承担部门")),
        (reverse("company_funds"), ("最近变动", "收据")),
        (reverse("company_funds_statement"), ("资金对账单", "期初余额", "起始日")),
        (reverse("company_receipt", args=[deposit.receipt.number]), ("收款收据", "金额（大写）", "壹万元整")),
    ):
        page = text(hr.get(url))
        for word in words:
            assert word in page, (url, word)
