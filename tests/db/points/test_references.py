"""What postings and entries name is there and stays, though no foreign key says so: triggers do, without locking it."""

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from benefits.points.models import Account, LotEntry, Posting
from benefits.points.operations import open_wallets
from tenants.db import transaction as product_transaction
from tenants.models import Company
from tests import factories
from tests.factories import AT

POST = "INSERT INTO points_posting (kind, source_id, destination_id, fen, reference, at) VALUES "
LOT = "INSERT INTO points_lot (wallet_id, grant_id, budget_id, granted_fen, remaining_fen, occasion, at) "
ENTRY = "INSERT INTO points_lotentry (lot_id, posting_id, fen, item) "
GONE = 987654321


@pytest.fixture
def ids(acme: Company) -> dict[str, int]:
    """A wallet with a lot, the budget that filled it, and the company's own accounts."""
    alice = factories.an_employee(with_fen=1_000)
    own = {one.kind: one.pk for one in Account.objects.exclude(kind__in=["wallet", "budget"])}
    grant = Posting.objects.get(kind="grant")
    return {
        "wallet": alice.wallet.pk,
        "budget": alice.wallet.lots.get().budget.account_id,
        "held": own["held"],
        "posting": grant.pk,
        "lot": alice.wallet.lots.get().pk,
        "grant": alice.wallet.lots.get().grant_id,
        "pot": alice.wallet.lots.get().budget_id,
        "other": factories.a_budget().pk,
        "empty": factories.an_employee("Bob").wallet.pk,
    }


REFUSED = {
    "a posting to nowhere": POST + "('redeem', {wallet}, 987654321, 1, 'x', now())",
    "a posting from nowhere": POST + "('refund', 987654321, {wallet}, 1, 'x', now())",
    "several postings, one of them to nowhere": (
        POST + "('redeem', {wallet}, {held}, 1, 'x', now()), ('redeem', {wallet}, 987654321, 1, 'y', now())"
    ),
    "an entry of no lot": ENTRY + "VALUES (987654321, {posting}, 1, '')",
    "an entry of no posting": ENTRY + "VALUES ({lot}, 987654321, -1, 'x')",
    "several entries, one of no posting": ENTRY
    + "VALUES ({lot}, {posting}, -1, 'x'), ({lot}, 987654321, -1, 'y')",
    "several entries, one of no lot": ENTRY
    + "VALUES ({lot}, {posting}, -1, 'x'), (987654321, {posting}, -1, 'y')",
    "a wallet that has moved points deleted": "DELETE FROM points_account WHERE id = {wallet}",
    "a budget's account deleted": "DELETE FROM points_account WHERE id = {budget}",
    "the held account deleted, though nothing was ever held": "DELETE FROM points_account WHERE id = {held}",
    "a lot in no wallet": LOT + "VALUES (987654321, {grant}, {pot}, 1, 0, '', now())",
    "a lot in a budget's account": LOT + "VALUES ({budget}, {grant}, {pot}, 1, 0, '', now())",
    "a lot of no grant": LOT + "VALUES ({wallet}, 987654321, {pot}, 1, 0, '', now())",
    "a lot of another budget than its grant's": LOT + "VALUES ({empty}, {grant}, {other}, 1, 0, '', now())",
    "a lot deleted": "DELETE FROM points_lot WHERE id = {lot}",
}


@pytest.mark.parametrize("name", REFUSED)
def test_nothing_names_what_is_not_there(ids: dict[str, int], name: str) -> None:
    with pytest.raises(IntegrityError, match="foreign key"):
        _execute(REFUSED[name].format(**ids))


MOVED = {
    "a lot's wallet": "UPDATE points_lot SET wallet_id = {wallet} WHERE id = {lot}",
    "a lot's grant": "UPDATE points_lot SET grant_id = {grant} WHERE id = {lot}",
    "a lot's budget": "UPDATE points_lot SET budget_id = {other} WHERE id = {lot}",
    "a grant's budget": "UPDATE points_grant SET budget_id = {other} WHERE id = {grant}",
    "a grant": "DELETE FROM points_grant WHERE id = {grant}",
    "a budget": "DELETE FROM points_budget WHERE id = {other}",
    "all grants": "TRUNCATE points_grant CASCADE",
    "all budgets": "TRUNCATE points_budget CASCADE",
}


@pytest.mark.parametrize("name", MOVED)
def test_what_a_lot_names_stays_as_it_was(ids: dict[str, int], name: str) -> None:
    connection.check_constraints()  # nothing is left to be looked at, which a TRUNCATE would wait for
    with pytest.raises(DatabaseError, match=r"stays|is final"):
        _execute(MOVED[name].format(**ids))


@pytest.mark.parametrize("table", ["points_account", "points_lot"])
def test_what_is_named_is_neither_renumbered_nor_emptied(ids: dict[str, int], table: str) -> None:
    key = "wallet" if table == "points_account" else "lot"
    with pytest.raises(DatabaseError, match="follows from its"):
        _execute(f"UPDATE {table} SET id = {GONE} WHERE id = {ids[key]}")
    connection.check_constraints()
    with pytest.raises(DatabaseError, match="is final"):
        _execute(f"TRUNCATE {table} CASCADE")


def test_a_wallet_that_nothing_names_may_go(acme: Company) -> None:
    bob = factories.an_employee("Bob")
    _execute(f"DELETE FROM points_account WHERE employee_id = {bob.pk}")
    with product_transaction():
        assert open_wallets(employees=[bob]) == 1


def test_a_statement_of_many_keeps_balances_and_lots(acme: Company) -> None:
    people, budget = factories.employees(30), factories.a_budget(30 * 31 * 10)

    factories.grant(budget, {one: 10 * place for place, one in enumerate(people, 1)}, at=AT)

    assert [factories.wallet_fen(one) for one in people] == [10 * place for place in range(1, 31)]
    assert factories.budget_fen(budget) == 30 * 31 * 10 - 10 * 30 * 31 // 2
    assert LotEntry.objects.count() == 30
    assert all(one.remaining_fen == one.granted_fen for one in budget.lots.all())


def _execute(statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
