"""The database itself refuses what must never be true of points and funds, whatever SQL is sent to it."""

from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from benefits.orders.models import Item, Order
from benefits.points.models import Account
from tenants.models import Company
from tests import factories


@pytest.fixture(scope="module")
def facts(module_company: Company) -> dict[str, Any]:
    """Ids for the SQL below, of books made once: every test undoes what it did."""
    return _make_books()


def _make_books() -> dict[str, Any]:
    """One employee with 10,050 fen left of 20,000, one delivered order and one in flight."""
    factories.a_catalogue()
    alice = factories.an_employee(with_fen=20_000)
    delivered = factories.redeem(alice)
    factories.deliver(delivered)
    factories.settle()
    placed = factories.redeem(alice, "jd-50", account="")
    item = Item.objects.get(order=delivered)
    return {
        "wallet": alice.wallet.pk,
        "employee": alice.pk,
        "budget": Account.objects.get(kind="budget").pk,
        "held": Account.objects.get(kind="held").pk,
        "delivered": Account.objects.get(kind="delivered").pk,
        "funded": Account.objects.get(kind="funded").pk,
        "order": delivered.pk,
        "placed": placed.pk,
        "item": item.pk,
        "settlement": item.settlement_id,
        "debit": delivered.debit_id,
        "debit_reference": f"order:{delivered.number}",
        "key": delivered.request_key,
    }


FINAL_TABLES = [
    "points_posting",
    "points_lotentry",
    "identity_auditevent",
    "public.funds_fundsentry",
    "public.identity_auditevent",
]


@pytest.mark.parametrize("table", FINAL_TABLES)
@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_final_rows_are_never_changed(facts: dict[str, Any], table: str, statement: str) -> None:
    if "TRUNCATE" in statement:
        _close_deferred()
    with pytest.raises(DatabaseError, match="is final"):
        _execute(statement.format(table))


@pytest.mark.parametrize("table", FINAL_TABLES)
def test_final_rows_are_not_replaced_by_an_upsert(facts: dict[str, Any], table: str) -> None:
    with pytest.raises(DatabaseError, match="is final"):
        _execute(
            f"INSERT INTO {table} SELECT * FROM {table} LIMIT 1 ON CONFLICT (id) DO UPDATE SET id = excluded.id"
        )


POST = "INSERT INTO points_posting (kind, source_id, destination_id, fen, reference, at) VALUES "
BROKEN = {
    "a wallet overdrawn by a fen": (
        POST + "('redeem', {wallet}, {held}, 10051, 'x', now())",
        "account_not_overdrawn",
    ),
    "a budget overdrawn": (POST + "('grant', {budget}, {wallet}, 1, 'x', now())", "account_not_overdrawn"),
    "nothing posted": (POST + "('load', {funded}, {budget}, 0, 'x', now())", "posting_moves_value"),
    "less than nothing posted": (
        POST + "('load', {funded}, {budget}, -1, 'x', now())",
        "posting_moves_value",
    ),
    "a posting to itself": (POST + "('redeem', {wallet}, {wallet}, 1, 'x', now())", "posting_goes_elsewhere"),
    "a reference used twice": (
        POST + "('redeem', {wallet}, {held}, 1, '{debit_reference}', now())",
        "reference",
    ),
    "a reversal of nothing": (
        POST + "('reverse', {held}, {wallet}, 1, 'x', now())",
        "posting_reversal_names",
    ),
    "funds overdrawn": (
        (
            "INSERT INTO public.funds_fundsentry (account_id, kind, fen, reference, at) "
            "SELECT id, 'load', -1, 'x', now() FROM public.funds_fundsaccount WHERE company = 'acme'"
        ),
        "funds_not_overdrawn",
    ),
    "a load that adds": (
        (
            "INSERT INTO public.funds_fundsentry (account_id, kind, fen, reference, at) "
            "SELECT id, 'load', 1, 'x', now() FROM public.funds_fundsaccount WHERE company = 'acme'"
        ),
        "funds_entry_sign_fits_kind",
    ),
    "a deposit counted twice": (
        (
            "INSERT INTO public.funds_fundsentry (account_id, kind, fen, reference, at) "
            "SELECT account_id, kind, fen, reference, at FROM public.funds_fundsentry LIMIT 1"
        ),
        "funds_entry_reference_once",
    ),
    "a lot overdrawn": (
        "INSERT INTO points_lotentry (lot_id, posting_id, fen, item) SELECT id, {debit}, -remaining_fen - 1, 'x' FROM points_lot",
        "lot_not_overdrawn",
    ),
    "a lot filled above what was granted": (
        "INSERT INTO points_lotentry (lot_id, posting_id, fen, item) SELECT id, {debit}, granted_fen, 'x' FROM points_lot",
        "lot_not_overdrawn",
    ),
    "a lot entry repeated": (
        "INSERT INTO points_lotentry (lot_id, posting_id, fen, item) SELECT lot_id, posting_id, fen, item FROM points_lotentry",
        "lot_entry_once",
    ),
    "a second wallet": (
        "INSERT INTO points_account (kind, employee_id, balance_fen) VALUES ('wallet', {employee}, 0)",
        "employee_id",
    ),
    "a second held account": (
        "INSERT INTO points_account (kind) VALUES ('held')",
        "account_one_of_the_company",
    ),
    "a wallet of nobody": (
        "INSERT INTO points_account (kind, balance_fen) VALUES ('wallet', 0)",
        "account_wallet_is_an_employees",
    ),
    "a wallet that stores no balance": (
        "UPDATE points_account SET balance_fen = NULL WHERE id = {wallet}",
        "follows from its postings",
    ),
    "a balance written by hand": (
        "UPDATE points_account SET balance_fen = balance_fen + 1 WHERE id = {wallet}",
        "follows from its postings",
    ),
    "a wallet born rich": (
        "INSERT INTO points_account (kind, balance_fen) VALUES ('budget', 5)",
        "follows from its postings",
    ),
    "a lot written by hand": (
        "UPDATE points_lot SET remaining_fen = remaining_fen - 1",
        "follows from its entries",
    ),
    "a lot that grows": ("UPDATE points_lot SET granted_fen = granted_fen + 1", "follows from its entries"),
    "a lot moved to another wallet": (
        "UPDATE points_lot SET wallet_id = {budget}",
        "follows from its entries",
    ),
    "funds written by hand": (
        "UPDATE public.funds_fundsaccount SET balance_fen = 5",
        "follows from its entries",
    ),
    "a deposit recorded twice": (
        (
            "INSERT INTO public.funds_deposit (account_id, fen, reference, status, recorded_by, recorded_at, confirmed_by) "
            "SELECT account_id, fen, reference, 'recorded', 'x', now(), '' FROM public.funds_deposit LIMIT 1"
        ),
        "deposit_reference_once",
    ),
    "a second order for one debit": (
        "UPDATE orders_order SET debit_id = {debit} WHERE id = {placed}",
        "debit_id",
    ),
    "a second order for one key": (
        "UPDATE orders_order SET request_key = '{key}' WHERE id = {placed}",
        "order_one_a_request_key",
    ),
    "an order that costs nothing": ("UPDATE orders_order SET price_fen = 0", "order_costs_something"),
    "one posting closing two items": (
        "UPDATE orders_item SET status = 'delivered', settled_at = now(), settlement_id = {settlement} WHERE order_id = {placed}",
        "settlement_id",
    ),
    "an item closed without a posting": (
        "UPDATE orders_item SET status = 'refunded', settled_at = now() WHERE order_id = {placed}",
        "item_closed_by_a_posting",
    ),
    "a closed item reopened with its posting": (
        "UPDATE orders_item SET status = 'placed' WHERE id = {item}",
        "item_closed_by_a_posting",
    ),
    "a second closing posting of a kind": (
        POST + "('deliver', {held}, {delivered}, 1, 'deliver:item:{item}', now())",
        "reference",
    ),
    "a second delivery for one item": (
        "UPDATE public.fulfilment_delivery SET item_id = {item} WHERE company = 'acme' AND item_id <> {item}",
        "delivery_one_an_item",
    ),
    "a second live attempt": (
        (
            "INSERT INTO public.fulfilment_attempt (delivery_id, offer_id, supplier_id, number, reference, status, sends, queries,"
            " not_found, failed_answers, supplier_reference, reason, detail, routing, due_at, created_at)"
            " SELECT delivery_id, offer_id, supplier_id, 9, 'again', 'sending', 1, 0, 0, 0, '', '', '', '{{}}', now(), now()"
            " FROM public.fulfilment_attempt"
        ),
        "attempt_one_live_a_delivery",
    ),
    "an outcome settled before it is one": (
        "UPDATE public.fulfilment_delivery SET settled_at = now() WHERE status = 'ready'",
        "delivery_final_has_a_time",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_the_database_refuses(facts: dict[str, Any], name: str) -> None:
    statement, complaint = BROKEN[name]

    with pytest.raises(DatabaseError, match=complaint):
        _execute(statement.format(**facts))


def test_an_order_without_a_debit_is_refused(facts: dict[str, Any]) -> None:
    order = Order.objects.get(pk=facts["placed"])
    order.pk, order.number, order.debit_id = None, "20260101000000000000", None

    with pytest.raises(IntegrityError, match="debit_id"), transaction.atomic():
        order.save(force_insert=True)


def test_a_posting_to_an_account_that_is_not_there_is_refused_at_commit(facts: dict[str, Any]) -> None:
    statement = POST + f"('redeem', {facts['wallet']}, 987654321, 1, 'x', now())"

    with pytest.raises(IntegrityError, match="foreign key"):
        _execute(f"{statement}; SET CONSTRAINTS ALL IMMEDIATE")


def _execute(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def _close_deferred() -> None:
    """TRUNCATE does not run while foreign keys wait to be checked."""
    connection.check_constraints()
