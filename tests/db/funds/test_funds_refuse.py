"""What the database refuses of a company's money, whatever the code asks."""

import pytest
from django.db import DatabaseError, connection
from django.db import transaction as raw
from django_tenants.utils import schema_context

from benefits.funds import operations
from benefits.funds.models import Deposit, FundsHold, Receipt
from tenants.identity.models import User
from tenants.models import Company
from tests.factories import AT

REFUSED = {
    "one person confirms": (
        "UPDATE public.funds_deposit SET status = 'confirmed', confirmed_by = 'fei', confirmed_at = now() WHERE id = {waiting}",
        "second_person",
    ),
    "a recorded amount is changed": (
        "UPDATE public.funds_deposit SET fen = fen + 1 WHERE id = {waiting}",
        "stays as it is",
    ),
    "a confirmed deposit is changed": (
        "UPDATE public.funds_deposit SET status = 'rejected' WHERE id = {deposit}",
        "stays as it is",
    ),
    "a slip is exchanged": (
        "UPDATE public.funds_deposit SET slip = 'x', slip_kind = 'pdf' WHERE id = {waiting}",
        "stays as it is",
    ),
    "a deposit is deleted": ("DELETE FROM public.funds_deposit WHERE id = {waiting}", "funds_deposit"),
    "a receipt is changed": ("UPDATE public.funds_receipt SET snapshot = '{{}}'", "funds_receipt"),
    "a receipt is deleted": ("DELETE FROM public.funds_receipt", "funds_receipt"),
    "a receipt number is skipped": (
        "UPDATE public.funds_receiptseries SET last_number = last_number + 2",
        "move by one",
    ),
    "a receipt number is wasted": (
        "SET CONSTRAINTS ALL IMMEDIATE; UPDATE public.funds_receiptseries SET last_number = last_number + 1",
        "has no receipt",
    ),
    "a receipt of nothing confirmed": (
        "SET CONSTRAINTS ALL IMMEDIATE; INSERT INTO public.funds_receipt"
        " (deposit_id, series_id, serial, number, company, fen, snapshot, issued_at)"
        " SELECT {waiting}, series_id, serial + 1, 'x', company, fen, snapshot, issued_at FROM public.funds_receipt",
        "not of a confirmed deposit",
    ),
    "a reversal of another amount": (
        "INSERT INTO public.funds_fundsentry (account_id, kind, fen, reference, reverses_id, at)"
        " SELECT account_id, 'reverse', 1 - fen, 'x', id, now() FROM public.funds_fundsentry WHERE kind = 'deposit'",
        "all of it",
    ),
    "a reversal of nothing": (
        "INSERT INTO public.funds_fundsentry (account_id, kind, fen, reference, at)"
        " SELECT account_id, 'reverse', -1, 'x', now() FROM public.funds_fundsentry WHERE kind = 'deposit'",
        "names_what_it_reverses",
    ),
    "one person reverses": (
        "INSERT INTO public.funds_depositreversal (deposit_id, reason, status, asked_by, asked_at, decided_by)"
        " VALUES ({deposit}, 'x', 'done', 'fei', now(), 'fei')",
        "second_person",
    ),
    "more is held than may be loaded": (
        "INSERT INTO public.funds_fundshold (account_id, fen, reason, set_by, set_at, released_by)"
        " SELECT account_id, 9001, 'x', 'fei', now(), '' FROM public.funds_fundshold WHERE id = {hold}",
        "funds_not_overdrawn",
    ),
    "held money is loaded": (
        "INSERT INTO public.funds_fundsentry (account_id, kind, fen, reference, at)"
        " SELECT account_id, 'load', -9001, 'x', now() FROM public.funds_fundshold WHERE id = {hold}",
        "funds_not_overdrawn",
    ),
    "what is held is written by hand": (
        "UPDATE public.funds_fundsaccount SET held_fen = 0",
        "follows from its entries",
    ),
    "a hold becomes smaller": (
        "UPDATE public.funds_fundshold SET fen = 1 WHERE id = {hold}",
        "released once",
    ),
    "a hold is deleted": ("DELETE FROM public.funds_fundshold", "funds_fundshold"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_the_database_refuses(acme: Company, name: str) -> None:
    with schema_context("public"):
        people = [User.objects.create(username=name) for name in ("fei", "feng")]
        deposit, waiting = (
            operations.record_deposit(company=acme, fen=fen, reference=f"R{fen}", actor=people[0], at=AT)
            for fen in (10_000, 500)
        )
        operations.confirm_deposit(deposit=deposit, actor=people[1], at=AT)
        hold = operations.hold(company=acme, fen=1_000, reason="audit", actor=people[0], at=AT)
    sql, refusal = REFUSED[name]
    facts = {"deposit": deposit.pk, "waiting": waiting.pk, "hold": hold.pk}
    with pytest.raises(DatabaseError, match=refusal), raw.atomic(), connection.cursor() as cursor:
        cursor.execute(sql.format(**facts))
    assert Deposit.objects.filter(status="confirmed").count() == Receipt.objects.count() == 1
    assert FundsHold.objects.get().fen == 1_000
