"""Where a fen comes from and goes, and what an account held when: from every kind of thing, and for nobody else."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django_tenants.utils import tenant_context

from benefits.people.models import Employee
from benefits.points import days, leavers
from benefits.points.models import Account, Grant, Lot
from reports import balances, explain
from reports.errors import NoSuchAccount, NotAnInstant, NothingToExplain
from reports.invoices import operations as invoices
from reports.periods import Month
from tenants.db import transaction
from tenants.identity.roles import Role
from tenants.models import Company
from tests import factories, people
from tests.factories import AT

PRICE = 4_950


@pytest.fixture
def told(acme: Company) -> dict[str, Any]:
    """A budget of 100 yuan, 80 granted to one employee, one order delivered and billed, one refunded, one in process."""
    factories.a_catalogue()
    Company.objects.filter(pk=acme.pk).update(
        daily_limit_fen=10**9, credit_code="91440300708461136T", name="华云科技有限公司"
    )
    budget = factories.a_budget(30_000, name="节日福利")
    employee = factories.an_employee("Alice")
    factories.grant(budget, {employee: 20_000})
    delivered, refunded, placed = (factories.redeem(employee, "topup-mobile-50") for _ in range(3))
    factories.deliver(delivered)
    factories.deliver(refunded, fails=["topup-mobile-50"])
    factories.settle()
    acme.refresh_from_db()
    (invoice,) = invoices.issue(
        company=acme, month=Month(AT.year, AT.month), actor=None, at=AT + timedelta(days=40)
    )
    return {
        "budget": budget,
        "employee": employee,
        "orders": (delivered, refunded, placed),
        "invoice": invoice,
    }


def of(key: str) -> explain.Chain:
    chain = explain.explain(of=key)
    assert chain.adds_up, (key, chain.parts, chain.fen)
    return chain


def level(chain: explain.Chain, name: str) -> explain.Level:
    return next(one for one in chain.levels if one.name == name)


def keys(chain: explain.Chain, name: str) -> list[str]:
    return sorted(step.key for step in level(chain, name).steps)


def test_the_whole_chain_from_each_of_its_links(told: dict[str, Any]) -> None:
    delivered, refunded, placed = told["orders"]
    grant, lot = Grant.objects.get(), Lot.objects.get()
    everything = {"left": 20_000 - 2 * PRICE, "held": PRICE, "delivered": PRICE}
    invoice = f"invoice:{told['invoice'].number}"
    for key in (
        f"budget:{told['budget'].pk}",
        f"grant:{grant.pk}",
        f"lot:{lot.pk}",
        f"wallet:{told['employee'].employee_no}",
    ):
        chain = of(key)
        assert (chain.fen, chain.parts) == (20_000, everything)
        assert keys(chain, "orders") == sorted(f"order:{order.number}" for order in told["orders"])
        assert keys(chain, "invoices") == [invoice]
        assert level(chain, "loads").fen == 30_000
    expected = {delivered: {"delivered": PRICE}, refunded: {"refunded": PRICE}, placed: {"held": PRICE}}
    for order, parts in expected.items():
        item = order.items.get()
        for key in (f"order:{order.number}", f"item:{item.pk}"):
            chain = of(key)
            assert (chain.fen, chain.parts) == (PRICE, parts)
            assert keys(chain, "budgets") == [f"budget:{told['budget'].pk}"]
            assert keys(chain, "grants") == [f"grant:{grant.pk}"]
            assert keys(chain, "lots") == [f"lot:{lot.pk}"]
            assert keys(chain, "items") == [f"item:{item.pk}"]
            assert level(chain, "loads").fen == 30_000
            assert keys(chain, "invoices") == ([invoice] if order == delivered else [])
    chain = of(invoice)
    assert (chain.fen, chain.parts, keys(chain, "orders")) == (
        PRICE,
        {"delivered": PRICE},
        [f"order:{delivered.number}"],
    )


def test_a_bundle_and_an_order_paid_from_two_lots(told: dict[str, Any]) -> None:
    bob = factories.an_employee("Bob")
    factories.grant(told["budget"], {bob: 3_000})
    factories.grant(told["budget"], {bob: 4_000})
    order = factories.redeem(bob, "bundle-commuter")
    chain = of(f"order:{order.number}")

    assert [step.fen for step in level(chain, "lots").steps] in ([3_000, 3_700], [3_700, 3_000])
    assert level(chain, "items").count == order.items.count() > 1
    assert level(chain, "items").fen == chain.fen == order.price_fen


def test_what_went_back_to_its_budget_is_told(told: dict[str, Any], acme: Company) -> None:
    Company.objects.filter(pk=acme.pk).update(leaver_policy="return")
    Employee.objects.update(status="left")
    with transaction():
        leavers.settle(pks=[told["employee"].pk], reason="test", at=AT)
    chain = of(f"lot:{Lot.objects.get().pk}")

    assert chain.parts == {"held": PRICE, "delivered": PRICE, "recalled": 20_000 - 2 * PRICE}


def test_many_steps_are_counted_and_few_named(told: dict[str, Any]) -> None:
    many = factories.employees(explain.SHOWN + 5)
    factories.grant(told["budget"], dict.fromkeys(many, 100))
    chain = of(f"grant:{Grant.objects.latest('pk').pk}")
    lots = level(chain, "lots")

    assert (len(lots.steps), lots.count, lots.more, lots.fen) == (explain.SHOWN, explain.SHOWN + 5, 5, 2_500)


@pytest.mark.parametrize(
    "key", ["", "lot", "lot:", "lot:0", "lot:x", "lot:٣", "lot:99999999999999999999", "order:nobody", "wallet:\0", "thief:1", "lot:1;--"]
)  # fmt: skip
def test_what_is_not_there_is_said(told: dict[str, Any], key: str) -> None:
    with pytest.raises(NothingToExplain):
        explain.explain(of=key)


def test_another_company_has_nothing_of_it(told: dict[str, Any], globex: Company) -> None:
    number, order = told["invoice"].number, told["orders"][0].number
    with tenant_context(globex):
        for key in (f"invoice:{number}", f"order:{order}", f"lot:{Lot.objects.count() + 1}"):
            with pytest.raises(NothingToExplain):
                explain.explain(of=key)


def test_an_account_at_any_instant(told: dict[str, Any]) -> None:
    for hours in range(1, 5):  # one deposit an hour
        factories.a_deposit(1_000, at=AT + timedelta(hours=hours))
    assert [balances.balance_at(account="funds", at=AT + timedelta(hours=h)).fen for h in range(5)] == [
        0,
        1_000,
        2_000,
        3_000,
        4_000,
    ]
    assert balances.balance_at(account="funds", at=AT + timedelta(minutes=59)).fen == 0

    wallet = f"wallet:{told['employee'].employee_no}"
    now = AT + timedelta(days=1)
    stored = Account.objects.get(employee=told["employee"]).balance_fen
    assert balances.balance_at(account=wallet, at=now).fen == stored == 20_000 - 2 * PRICE
    assert balances.balance_at(account=wallet, at=AT - timedelta(seconds=1)).fen == 0
    assert balances.balance_at(account=f"budget:{told['budget'].pk}", at=now).fen == 10_000
    assert balances.balance_at(account="held", at=now).fen == PRICE
    assert balances.balance_at(account="delivered", at=now).fen == PRICE
    moves = balances.balance_at(account=wallet, at=now).moves
    assert moves[0].balance_fen == stored
    assert [one.balance_fen - one.fen for one in moves[:-1]] == [one.balance_fen for one in moves[1:]]


@pytest.mark.parametrize(
    "account", ["", "wallet:", "wallet:nobody", "budget:x", "budget:0", "loss:1", "everything"]
)
def test_an_account_that_is_not_there(acme: Company, account: str) -> None:
    with pytest.raises(NoSuchAccount):
        balances.balance_at(account=account, at=AT)


@pytest.mark.parametrize(
    "text", ["yesterday", "2026-13-01", "2026-02-30T10:00", "0001-01-01", "9999-12-31", "2026-11-24T25:00"]
)
def test_an_instant_that_is_none(text: str) -> None:
    if text in ("0001-01-01", "9999-12-31"):
        balances.instant_of(text)
        return
    with pytest.raises(NotAnInstant):
        balances.instant_of(text)


def test_a_day_alone_is_its_end() -> None:
    assert balances.instant_of("2026-03-02").isoformat() == "2026-03-02T23:59:59.999999+08:00"
    assert days.last_day(balances.instant_of("2026-03-02")) == date(2026, 3, 2)


@pytest.fixture
def door(told: dict[str, Any]) -> Client:
    return people.in_schema("acme", [Role.FINANCE])


def test_the_pages(told: dict[str, Any], door: Client) -> None:
    order = told["orders"][0].number
    page = door.get("/company/explain/", {"kind": "order", "key": order})
    assert page.status_code == 200
    text = page.content.decode()
    assert told["invoice"].number in text
    assert "节日福利" in text
    answer = door.get("/company/explain.json", {"of": f"order:{order}"}).json()
    assert (answer["fen"], answer["adds_up"]) == (PRICE, True)
    assert door.get("/company/explain/", {"of": "lot:0"}).status_code == 404
    assert door.get("/company/explain/").status_code == 200

    page = door.get(
        "/company/balances/", {"account": "wallet", "no": told["employee"].employee_no, "at": "2026-03-02"}
    )
    assert "101.00" in page.content.decode()
    assert door.get("/company/balances/", {"account": "held", "at": "soon"}).status_code == 422
    assert door.get("/company/balances/", {"account": "nothing"}).status_code == 404
    assert door.get("/company/balances.json", {"account": "held", "at": "2026-03-02"}).json()["fen"] == PRICE


def test_the_commands(told: dict[str, Any]) -> None:
    lot = Lot.objects.get().pk
    balance, chain = StringIO(), StringIO()
    call_command("balance", "acme", "held", "--at", "2026-03-02", "--json", stdout=balance)
    call_command("explain", "acme", f"lot:{lot}", "--json", stdout=chain)

    assert json.loads(balance.getvalue())["fen"] == PRICE
    assert json.loads(chain.getvalue())["adds_up"]


def test_a_long_chain_is_a_few_statements(
    told: dict[str, Any], django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    with django_assert_max_num_queries(14):
        explain.explain(of=f"budget:{told['budget'].pk}")
