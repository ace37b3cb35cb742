"""Points that the platform gives an employee: while nobody knows what became of an order, or to say sorry.

They come from the platform's `loss` account by way of its own budget in the company (`Budget.purpose` goodwill), so
that the company never pays for them: what is delivered for them is not billed. The order's own hold stays until its
outcome is known. If the order is refunded after all, what is unspent of the goodwill goes back to the platform; what
is spent stays its loss, never the employee's.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from benefits.fulfilment import outcomes
from benefits.fulfilment.models import Delivery
from benefits.points import days, ledger, queries
from benefits.points.errors import (
    GoodwillGiven,
    GoodwillNotNeeded,
    GoodwillTooMuch,
    InvalidPoints,
    NobodyToGrantTo,
    RequestKeyReused,
)
from benefits.points.models import Account, Budget, Grant, Lot, LotEntry, Posting
from tenants import audit
from tenants.db import connection, transaction, transaction_required
from tenants.identity.models import User
from tenants.models import Company

DAYS = 180  # for which goodwill can be spent

UNKNOWN, FAILED = "unknown", "failed"


@transaction
def credit(
    *, delivery: Delivery, fen: int, reason: str, request_key: UUID, seen: str, actor: User, at: datetime
) -> Grant:
    """Give the owner of an item `fen` of the platform's money, once an item; `actor` is one of the platform's people.

    `seen` is how the outcome stood when they decided: "unknown", or "failed" for an apology. The same key again
    returns the first. Runs in the company's schema and also leaves its trace in the platform's. Raises InvalidPoints,
    GoodwillTooMuch, GoodwillNotNeeded, GoodwillGiven, NobodyToGrantTo, RequestKeyReused.
    """
    most = settings.GOODWILL_ALONE_FEN
    if fen <= 0:
        raise InvalidPoints(asked_fen=fen, most_fen=most)
    if fen > most:
        raise GoodwillTooMuch(asked_fen=fen, most_fen=most)
    # The delivery first, as settling has it: its outcome does not change while this is decided.
    delivery = outcomes.lock(delivery.pk)
    item = f"item:{delivery.item_id}"
    digest = hashlib.sha256(json.dumps([item, fen, reason]).encode()).hexdigest()
    if earlier := Grant.objects.filter(request_key=request_key).first():
        if earlier.request_digest != digest:
            raise RequestKeyReused
        return earlier
    if Grant.objects.filter(source=f"orders.{item}").exists():
        raise GoodwillGiven
    if state_of(delivery) != seen or not seen:
        raise GoodwillNotNeeded
    made = _give(delivery, item, seen, fen=fen, reason=reason, key=request_key, digest=digest, at=at)
    _record_at_platform(delivery, fen=fen, actor=actor, at=at)
    return made


def given_for(delivery: Delivery) -> Grant | None:
    """What was given for a delivery of the current company, or None."""
    return Grant.objects.filter(source=f"orders.item:{delivery.item_id}").first()


def state_of(delivery: Delivery) -> str:
    """ "unknown" while a supplier's answer is awaited in vain, "failed" after a failure, and "" where nothing is wrong."""
    if delivery.status == Delivery.Status.FAILED:
        return FAILED
    return UNKNOWN if outcomes.is_unknown(delivery) else ""


@transaction_required
def _give(
    delivery: Delivery, item: str, seen: str, *, fen: int, reason: str, key: UUID, digest: str, at: datetime
) -> Grant:
    budget = _budget(at)
    wallet = Account.objects.select_for_update(of=("self",)).select_related("employee").get(
        pk=LotEntry.objects.filter(item=item, posting__kind=Posting.Kind.REDEEM).values("posting__source")[:1]
    )  # fmt: skip
    if wallet.employee is None or not wallet.employee.may_spend:
        raise NobodyToGrantTo
    ledger.post(
        kind=Posting.Kind.GOODWILL,
        source=ledger.company_account(Account.Kind.LOSS),
        destination=budget.account,
        fen=fen,
        reference=f"goodwill:{item}",
        at=at,
    )
    made = Grant.objects.create(
        budget=budget,
        reason=reason,
        audience={"everyone": False, "departments": [], "list": 1, "seen": seen},
        request_key=key,
        request_digest=digest,
        employees=1,
        total_fen=fen,
        expires_at=days.end_of(timezone.localdate(at) + timedelta(days=DAYS)),
        source=f"orders.{item}",
        granted_by=audit.SYSTEM,
        at=at,
    )
    ledger.grant(grant=made, amounts=[(wallet.pk, fen)], at=at)
    # In the company's record it is the platform's doing; who of its people did it is in the platform's own.
    audit.record("points.granted", made, actor=None, at=at, employees=1, fen=fen)
    return made


def _record_at_platform(delivery: Delivery, *, fen: int, actor: User, at: datetime) -> None:
    tenant = connection.tenant
    connection.set_schema_to_public()
    try:
        audit.record("goodwill.given", delivery, actor=actor, at=at, company=delivery.company, fen=fen)
    finally:
        connection.set_tenant(tenant)


@transaction_required
def _budget(at: datetime) -> Budget:
    """The platform's budget in this company, locked; made on first use."""
    company = Company.objects.get(schema_name=connection.schema_name)
    # Two first uses at once: the account of losses is the lock, which postings that refer to it pass.
    loss = Account.objects.select_for_update(no_key=True).get(kind=Account.Kind.LOSS)
    budget = Budget.objects.filter(purpose=Budget.Purpose.GOODWILL).first()
    if budget is None:
        with override(company.language):
            name = _("Given by the platform")
        taken = Budget.objects.filter(name=name).exists()
        budget = Budget.objects.create(
            account=Account.objects.create(kind=Account.Kind.BUDGET, balance_fen=0),
            name=f"{name} {loss.pk}" if taken else name,
            owner=audit.SYSTEM,
            from_date=timezone.localdate(at),
            purpose=Budget.Purpose.GOODWILL,
            created_at=at,
        )
        audit.record("budget.opened", budget, actor=None, at=at)
    ledger.lock([budget.account_id])
    return budget


@transaction_required
def recover(*, wallet: Account, at: datetime) -> int:
    """Take back to the platform what is unspent of goodwill for orders that were refunded after all; returns the fen.

    Called where a refund is settled, with the wallet locked. An apology for a failure that was known stays.
    """
    unspent = Lot.objects.filter(
        wallet=wallet,
        remaining_fen__gt=0,
        budget__purpose=Budget.Purpose.GOODWILL,
        grant__audience__seen=UNKNOWN,
    ).values_list("pk", "grant__source")
    items = {pk: source.removeprefix("orders.") for pk, source in unspent}
    if not items:
        return 0
    refunds = Posting.objects.filter(reference__in=[f"refund:{item}" for item in items.values()])
    refunded = {
        reference.removeprefix("refund:") for reference in refunds.values_list("reference", flat=True)
    }
    taken = ledger.take(
        lots=[pk for pk, item in items.items() if item in refunded],
        kind=Posting.Kind.RECOVER,
        word="recover",
        to=ledger.company_account(Account.Kind.LOSS),
        at=at,
    )
    for one in taken:
        audit.record("goodwill.recovered", f"points.budget:{one.budget}", actor=None, at=at, fen=one.fen)
    return sum(one.fen for one in taken)


@dataclass(frozen=True)
class Figures:
    """What the platform gave in a company and where it is: given = recovered + unspent + held + spent, always."""

    given_fen: int
    recovered_fen: int
    unspent_fen: int  # in wallets, and what expired or came back from leavers into the platform's budget
    held_fen: int
    spent_fen: int

    @property
    def loss_fen(self) -> int:
        """What stands on the loss account: given, and not come back."""
        return self.given_fen - self.recovered_fen


def figures() -> Figures:
    """The platform's goodwill in the current company."""
    moved = dict(
        Posting.objects.filter(kind__in=[Posting.Kind.GOODWILL, Posting.Kind.RECOVER])
        .order_by()
        .values_list("kind")
        .annotate(fen=Sum("fen"))
    )
    budget = Budget.objects.select_related("account").filter(purpose=Budget.Purpose.GOODWILL).first()
    if budget is None:
        return Figures(given_fen=0, recovered_fen=0, unspent_fen=0, held_fen=0, spent_fen=0)
    found = queries.figures_of(budget)
    return Figures(
        given_fen=int(moved.get("goodwill", 0)),
        recovered_fen=int(moved.get("recover", 0)),
        unspent_fen=found.in_wallets_fen + found.left_fen,
        held_fen=found.held_fen,
        spent_fen=found.delivered_fen,
    )
