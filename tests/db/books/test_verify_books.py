"""`verify_books` finds every violation that it says it looks for, and says so with exit code 1.

Each violation is planted by SQL with the guards switched off, in a transaction that is undone.
"""

import json
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone
from django_tenants.utils import schema_context

from benefits.campaigns import operations as campaigns
from benefits.campaigns.definition import Amount, Audience, Expiry
from benefits.catalogue.models import TaxRate
from benefits.fulfilment.models import Delivery
from benefits.journal import operations as journal
from benefits.points import goodwill, ledger
from benefits.points.models import LotExtension, Posting
from config.places import BASE
from reports import books
from reports.invoices import operations as invoices
from reports.periods import Month
from tenants.db import transaction as product_transaction
from tenants.identity.models import User
from tenants.models import Company
from tests import factories
from tests.factories import AT

GUARDED = [
    "points_posting", "points_lotentry", "points_lotextension", "points_account", "points_lot", "identity_auditevent", "public.funds_fundsentry",
    "public.funds_fundsaccount", "public.invoices_invoice", "public.invoices_invoiceline", "public.invoices_billedentry",
    "public.invoices_numberseries", "journal_entry", "journal_checkpoint", "public.journal_entry",
    "public.identity_auditevent",
    "public.invoices_numberseries", "public.funds_deposit", "public.funds_receipt", "public.funds_receiptseries",
    "public.funds_fundshold",
]  # fmt: skip

# An import that says it was applied, of one person, and did nothing.
_GHOST_IMPORT = (
    "INSERT INTO roster_rosterimport (status, mode, file_name, file, reading, reading_key, size, digest, sealed_choices,"
    " needs_check, facts, sealed_facts, reject, counts, result, plan_digest, roster_changed, phase, rows_done, rows_total,"
    " attempts, created_by, created_at, confirmed_by, applied_at, undone_by) VALUES ('applied', 'merge', 'a', '', '', '', 1,"
    " 'x', '', false, '{}', '', '{}', '{\"join\": 1, \"leave\": 0, \"update\": 0, \"return\": 0}',"
    " '{\"created\": 0, \"left\": 0, \"updated\": 0}', 'x', false, 'done', 0, 0, 0, 'x', now(), '', now(), '')"
)

# What breaks each check: the guards are off, the constraints named are gone.
PLANTS: dict[str, list[str]] = {
    "balances_follow_from_postings": ["UPDATE points_account SET balance_fen = balance_fen + 1 WHERE kind = 'budget'"],
    "nothing_below_zero": [
        "ALTER TABLE points_account DROP CONSTRAINT account_not_overdrawn",
        "UPDATE points_account SET balance_fen = -1 WHERE kind = 'wallet'",
    ],
    "lots_follow_from_entries": ["UPDATE points_lot SET remaining_fen = remaining_fen - 1 WHERE remaining_fen > 0"],
    "wallets_are_their_lots": ["UPDATE points_account SET balance_fen = balance_fen + 1 WHERE kind = 'wallet'"],
    "loads_were_funded": ["DELETE FROM public.funds_fundsentry WHERE kind = 'load'"],
    "grants_are_their_lots": ["UPDATE points_grant SET total_fen = total_fen + 1"],
    "lots_were_granted": ["UPDATE points_posting SET fen = fen - 1 WHERE kind = 'grant'"],
    "lot_entries_are_their_posting": ["UPDATE points_lotentry SET fen = fen + 1 WHERE fen < 0"],
    "budgets_add_up": ["UPDATE points_posting SET fen = fen + 1 WHERE kind = 'load'"],
    "set_aside_is_being_handed_out": ["UPDATE points_account SET balance_fen = 1 WHERE kind = 'allotted'"],
    "reversals_mirror": ["UPDATE points_posting SET fen = fen + 1 WHERE kind = 'reverse'"],
    "final_rows_are_guarded": [],
    "platform_rows_are_guarded": [],
    "order_has_its_debit": ["UPDATE points_posting SET reference = 'x' || reference WHERE kind = 'redeem'"],
    "debit_has_its_order": [
        ("INSERT INTO points_posting (kind, source_id, destination_id, fen, reference, at) SELECT kind, source_id,"
        " destination_id, fen, 'order:ghost', at FROM points_posting WHERE kind = 'redeem' LIMIT 1")
    ],
    "items_add_up": ["UPDATE orders_item SET price_fen = price_fen + 1"],
    "items_are_closed_by_their_posting": [
        "UPDATE points_posting SET kind = 'refund' WHERE id IN (SELECT settlement_id FROM orders_item WHERE status = 'delivered')"
    ],
    "orders_follow_from_their_items": ["UPDATE orders_order SET status = 'refunded' WHERE status = 'delivered'"],
    "settlements_close_an_item": [
        "UPDATE orders_item SET status = 'placed', settlement_id = NULL, settled_at = NULL WHERE status = 'refunded'"
    ],
    "refunds_go_to_the_same_lots": ["DELETE FROM points_lotentry WHERE fen > 0 AND item <> ''"],
    "held_is_in_flight": ["UPDATE points_posting SET fen = fen + 1 WHERE kind = 'refund'"],
    "items_have_their_delivery": ["UPDATE public.fulfilment_delivery SET item_id = item_id + 1000"],
    "deliveries_have_their_item": ["UPDATE public.fulfilment_delivery SET item_id = item_id + 1000"],
    "settled_as_delivered": [
        "UPDATE public.fulfilment_delivery SET status = 'failed' WHERE status = 'succeeded'",
    ],
    "billed_is_in_the_ledger": ["UPDATE public.invoices_billedentry SET fen = fen + 1"],
    "occasions_are_given_once": ["UPDATE points_lot SET occasion = 'rule:1:years:' || id WHERE occasion = ''"],
    "rehearsals_are_their_lots": ["UPDATE points_lot SET occasion = occasion || ':2' WHERE occasion <> ''"],
    "goodwill_is_the_platforms": ["UPDATE points_posting SET fen = fen + 1 WHERE kind = 'goodwill'"],
    "goodwill_is_once_an_item": ["UPDATE points_grant SET source = 'orders.item:0' WHERE source LIKE 'orders.%'"],
    "lots_end_as_they_were_lengthened": ["UPDATE points_lot SET expires_at = now() WHERE expires_at IS NOT NULL"],
    "imports_did_what_they_say": [_GHOST_IMPORT],
    "imports_are_applied_and_undone_once": [_GHOST_IMPORT],
    "personal_data_is_sealed": ["UPDATE people_employee SET mobile = '13800138000'"],
    "money_leaves_a_trace": ["DELETE FROM identity_auditevent WHERE action = 'item.refunded'"],
    "journal_verifies": ["UPDATE points_posting SET fen = fen + 1 WHERE kind = 'grant'"],
    "final_rows_are_sealed": ["DELETE FROM journal_entry WHERE kind = 'event'"],
    "platform_journal_verifies": ["UPDATE public.identity_auditevent SET actor = 'somebody else'"],
    "platform_rows_are_sealed": ["DELETE FROM public.journal_entry"],
    "funds_follow_from_entries": ["UPDATE public.funds_fundsaccount SET balance_fen = balance_fen + 1"],
    "deposits_are_in_the_funds": ["UPDATE public.funds_deposit SET fen = fen + 1"],
    "funds_holds_add_up": [
        ("INSERT INTO public.funds_fundshold (account_id, fen, reason, set_by, set_at, released_by)"
        " SELECT id, 1, 'x', 'fei', now(), '' FROM public.funds_fundsaccount LIMIT 1")
    ],
    "deposits_have_two_persons": [
        "ALTER TABLE public.funds_deposit DROP CONSTRAINT deposit_confirmed_by_a_second_person",
        "UPDATE public.funds_deposit SET recorded_by = 'fei', confirmed_by = 'fei'",
    ],
    "deposit_reversals_mirror": [
        ("INSERT INTO public.funds_depositreversal (deposit_id, reason, status, asked_by, asked_at, decided_by)"
        " SELECT id, 'x', 'done', 'fei', now(), 'feng' FROM public.funds_deposit LIMIT 1")
    ],
    "receipt_numbers_have_no_gap": ["UPDATE public.funds_receiptseries SET last_number = last_number + 1"],
    "deposits_have_their_receipt": ["UPDATE public.funds_receipt SET fen = fen + 1"],
    "one_live_attempt": [
        "DROP INDEX public.attempt_one_live_a_delivery",
        ("INSERT INTO public.fulfilment_attempt (delivery_id, offer_id, supplier_id, number, reference, status, sends, queries,"
        " not_found, failed_answers, supplier_reference, reason, detail, routing, due_at, created_at)"
        " SELECT delivery_id, offer_id, supplier_id, 9, 'again', 'sending', 1, 0, 0, 0, '', '', '', '{}', now(), now()"
        " FROM public.fulfilment_attempt WHERE status = 'succeeded' LIMIT 1"),
    ],
    "outcome_of_its_attempts": ["UPDATE public.fulfilment_attempt SET status = 'unknown' WHERE status = 'failed'"],
    "card_codes_are_of_delivered_cards": [
        "UPDATE public.fulfilment_delivery SET status = 'failed' WHERE kind = 'card' AND status = 'succeeded'"
    ],
    "card_codes_are_sealed": ["UPDATE public.fulfilment_cardcode SET code = 'PLAIN-CODE-1'"],
    "invoice_numbers_have_no_gap": ["UPDATE public.invoices_numberseries SET last_number = last_number + 1"],
    "invoice_totals_are_their_entries": ["UPDATE public.invoices_billedentry SET fen = fen + 1"],
    "invoice_lines_add_up": ["DELETE FROM public.invoices_invoiceline"],
    "rows_are_of_a_company": ["UPDATE public.funds_fundsaccount SET company = 'nowhere' WHERE company = 'globex'"],
    "accounts_are_sealed": ["UPDATE public.fulfilment_delivery SET account = '13800138000'"],
}  # fmt: skip


@pytest.fixture(scope="module")
def company(module_company: Company) -> Company:
    """Books in which everything has happened once: delivered, refunded, in flight, a card, a reversal, an invoice."""
    factories.a_catalogue()
    alice = factories.an_employee(with_fen=40_000)
    for sku, fails in (("topup-mobile-50", []), ("iqiyi-month", ["iqiyi-month"]), ("jd-50", [])):
        factories.deliver(
            factories.redeem(alice, sku, account="" if sku == "jd-50" else factories.MOBILE), fails=fails
        )
    factories.redeem(alice, "topup-mobile-10")
    factories.settle()
    bob = factories.an_employee("Bob", with_fen=500)
    with product_transaction():
        ledger.reverse(posting=Posting.objects.get(kind="grant", destination=bob.wallet), at=AT)
    _grant_by_rule(bob.employee_no)

    _give_goodwill_and_lengthen()
    assert TaxRate.objects.exists()
    Company.objects.filter(pk=module_company.pk).update(credit_code="91440300708461136T")
    module_company.refresh_from_db()
    month = Month(AT.year, AT.month)
    assert invoices.issue(company=module_company, month=month, actor=None, at=AT.replace(month=4, day=1))
    for schema in ("public", "globex", "acme"):
        with schema_context(schema):
            assert journal.seal_all(at=AT)
    return module_company


def _grant_by_rule(number: str) -> None:
    rehearsal = campaigns.once(
        name="Gift", budget=factories.a_budget(500), audience=Audience(numbers=((number, None),)), amount=Amount(fen=500),
        expiry=Expiry(), day=AT.date(), actor=None, at=AT,
    )  # fmt: skip
    campaigns.commit_rehearsal(rehearsal=rehearsal, digest=rehearsal.digest, actor=None, at=AT)
    assert campaigns.hand_out(rehearsal=rehearsal, at=AT) == 1


def _give_goodwill_and_lengthen() -> None:
    """Goodwill for an order that fails, and a refund of it to a lot that is over by then."""
    carol = factories.an_employee("Carol", with_fen=6_000, expires_at=AT + timedelta(days=2))
    order = factories.redeem(carol)
    factories.deliver(order, fails=[order.sku_code])
    goodwill.credit(
        delivery=Delivery.objects.get(order_number=order.number),
        fen=1_000,
        reason="Sorry",
        request_key=uuid4(),
        seen="failed",
        actor=User(pk=7, username="olga"),
        at=AT + timedelta(days=3),
    )
    factories.settle(at=AT + timedelta(days=3))
    assert LotExtension.objects.exists()


def test_nothing_is_found_in_sound_books(company: Company) -> None:
    assert books.verify(Company.objects.all()) == []


def test_every_check_has_a_violation_to_find() -> None:
    assert set(PLANTS) == {check.name for check in [*books.PUBLIC_CHECKS, *books.COMPANY_CHECKS]}


def test_the_document_of_promises_names_every_check() -> None:
    document = (BASE / "docs" / "promises.md").read_text()

    assert [name for name in PLANTS if f"`{name}`" not in document] == []


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_violation_is_found(company: Company, name: str) -> None:
    found = _with_planted(PLANTS[name], lambda: books.verify([company], at=timezone.now()))

    assert name in {violation.check for violation in found}
    assert {violation.company for violation in found if violation.check == name} <= {"acme", ""}


def test_the_command_prints_one_object_and_exits_by_what_it_found(company: Company) -> None:
    answer, code = _command()
    assert (code, answer["violations"]) == (0, [])
    assert answer["checked"]["companies"] == 2
    assert answer["checked"]["checks"] == len(PLANTS)

    answer, code = _with_planted(PLANTS["wallets_are_their_lots"], _command)

    assert code == 1
    found = {violation["check"]: violation for violation in answer["violations"]}
    assert found["wallets_are_their_lots"]["promise"] == 1
    assert found["wallets_are_their_lots"]["company"] == "acme"
    assert "its lots" in found["wallets_are_their_lots"]["detail"]


def test_an_unknown_company_is_bad_usage(company: Company) -> None:
    answer, code = _command("--company", "nowhere")

    assert (code, answer["error"]["code"]) == (2, "company_not_found")


def test_one_company_is_checked_alone(company: Company) -> None:
    planted = ["UPDATE points_account SET balance_fen = balance_fen + 1 WHERE kind = 'wallet'"]

    (other, other_code), (own, own_code) = _with_planted(
        planted, lambda: (_command("--company", "globex"), _command("--company", "acme"))
    )

    assert own_code == 1
    assert {one["company"] for one in own["violations"]} >= {"acme"}
    assert "acme" not in {one["company"] for one in other["violations"]}
    assert other["checked"]["companies"] == 1
    assert other_code in (0, 1)  # 1 for the platform's guards, which the plant switched off


def _with_planted(statements: list[str], look: Any) -> Any:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in GUARDED:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in statements:
            cursor.execute(statement)
        found = look()
        company = Company.objects.get(schema_name="acme")
        transaction.set_rollback(True)
    connection.set_tenant(company)
    return found


def _command(*arguments: str) -> tuple[dict[str, Any], int]:
    out = StringIO()
    code = 0
    try:
        call_command("verify_books", "--json", *arguments, stdout=out)
    except SystemExit as stop:
        code = int(stop.code or 0)
    lines = out.getvalue().splitlines()
    assert len(lines) == 1
    connection.set_tenant(Company.objects.get(schema_name="acme"))
    return json.loads(lines[0]), code
