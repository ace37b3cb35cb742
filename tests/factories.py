"""Things that tests need, made through the real operations: money, budgets, people, a catalogue, a supplier.

Everything happens in the company whose schema is entered, at `AT` unless a test says otherwise.
"""

import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import count
from uuid import UUID, uuid4

from django.db import connection
from django.db.models import Sum
from django_tenants.utils import schema_context

from benefits.catalogue import seed
from benefits.catalogue.models import Sku
from benefits.fulfilment import claims, connections, recording, upkeep
from benefits.fulfilment.models import Attempt, Delivery, Supplier
from benefits.fulfilment.recording import Claim
from benefits.funds import operations as funds
from benefits.funds.models import FundsAccount
from benefits.orders import operations as orders
from benefits.orders.models import Order
from benefits.people import queries as people
from benefits.people.models import Department, Employee
from benefits.points import operations as points
from benefits.points.models import Account, Budget, Grant, Posting
from benefits.suppliers.base import Answer, CardCode, Kind, Reason, Result, State, Verdict
from benefits.suppliers.base import Order as SupplierOrder
from reports.tables import CHINA
from tenants.db import transaction
from tenants.models import Company

AT = datetime(2026, 3, 2, 10, tzinfo=CHINA)
MOBILE = "13800138000"

_numbers = count(1)


def a_deposit(fen: int, *, at: datetime = AT) -> None:
    """Money of the current company at the platform, confirmed."""
    company = Company.objects.get(schema_name=connection.schema_name)
    deposit = funds.record_deposit(
        company=company, fen=fen, reference=f"bank-{next(_numbers)}-{uuid4().hex[:6]}", actor=None, at=at
    )
    funds.confirm_deposit(deposit=deposit, actor=None, at=at)


def a_budget(
    fen: int = 0,
    *,
    name: str = "",
    categories: Sequence[str] = (),
    from_date: date | None = None,
    to_date: date | None = None,
    at: datetime = AT,
) -> Budget:
    """An open budget that holds `fen`, funded by a deposit of the same amount."""
    budget = points.open_budget(
        name=name or f"Budget {next(_numbers)}",
        owner="hana",
        from_date=from_date or at.date() - timedelta(days=1),
        to_date=to_date,
        categories=categories,
        actor=None,
        at=at,
    )
    if fen:
        a_deposit(fen, at=at)
        points.load_budget(budget=budget, fen=fen, request_key=uuid4(), actor=None, at=at)
    return Budget.objects.select_related("account").get(pk=budget.pk)


def a_department(path: str) -> Department:
    """The department of a path, made where it is missing."""
    return Department.objects.get_or_create(path=path)[0]


def an_employee(
    name: str = "Alice",
    *,
    with_fen: int = 0,
    number: str = "",
    mobile: str = MOBILE,
    department: str = "",
    categories: Sequence[str] = (),
    expires_at: datetime | None = None,
    at: datetime = AT,
) -> Employee:
    """Somebody active with a wallet, and with points that were really funded, loaded and granted."""
    number = number or f"E{next(_numbers):05d}"
    if mobile == MOBILE and Employee.objects.filter(mobile_index=people.mobile_index(mobile)).exists():
        mobile = f"139{next(_numbers):08d}"
    employee = Employee.objects.create(
        employee_no=number,
        name=name,
        mobile=mobile,
        mobile_index=people.mobile_index(mobile),
        department=a_department(department) if department else None,
        created_at=at,
        updated_at=at,
    )
    with transaction():
        points.open_wallets(employees=[employee])
    if with_fen:
        grant(
            a_budget(with_fen, categories=categories, at=at),
            {employee: with_fen},
            expires_at=expires_at,
            at=at,
        )
    return Employee.objects.select_related("wallet").get(pk=employee.pk)


def employees(how_many: int, *, at: datetime = AT) -> list[Employee]:
    """Many people with empty wallets and no mobile, quickly."""
    first = next(_numbers)
    made = Employee.objects.bulk_create(
        Employee(employee_no=f"M{first}-{place:06d}", name="Many", created_at=at, updated_at=at)
        for place in range(how_many)
    )
    with transaction():
        points.open_wallets(employees=made)
    return list(
        Employee.objects.filter(pk__in=[one.pk for one in made]).select_related("wallet").order_by("pk")
    )


def grant(
    budget: Budget,
    amounts: dict[Employee, int],
    *,
    expires_at: datetime | None = None,
    key: UUID | None = None,
    at: datetime = AT,
) -> Grant:
    """Points from a budget to each of these people."""
    return points.grant(
        budget=budget,
        audience=points.Audience(amounts=tuple((one.employee_no, fen) for one, fen in amounts.items())),
        fen=0,
        reason="Spring festival",
        expires_at=expires_at,
        request_key=key or uuid4(),
        actor=None,
        at=at,
    )


def a_catalogue() -> None:
    """The seeded catalogue, and a supplier that offers all of it at 95 % of the price."""
    seed.seed()
    a_supplier()


def a_supplier(slug: str = "north", *, percent: int = 95) -> Supplier:
    """A supplier with an offer for every SKU. Nothing listens at its address."""
    supplier = upkeep.add_supplier(
        slug=slug,
        name=slug.title(),
        adapter="goofish",
        base_url="http://127.0.0.1:9",
        credentials=json.dumps({"app_id": "1", "app_secret": "s", "mch_id": "2", "mch_secret": "m"}),
        actor=None,
        at=AT,
    )
    upkeep.offer_catalogue(supplier=supplier, percent=percent, actor=None, at=AT)
    return supplier


def a_sku(code: str = "topup-mobile-50") -> Sku:
    """A SKU of the seeded catalogue."""
    return Sku.objects.select_related("product__category").get(code=code)


def redeem(
    employee: Employee,
    sku: Sku | str = "topup-mobile-50",
    *,
    account: str = MOBILE,
    key: UUID | None = None,
    quoted_fen: int | None = None,
    at: datetime = AT,
) -> Order:
    """One redemption, at the price that the catalogue shows unless the test quotes another."""
    sku = a_sku(sku) if isinstance(sku, str) else sku
    return orders.redeem(
        employee=employee,
        sku=sku,
        account=account,
        quoted_fen=sku.price_fen if quoted_fen is None else quoted_fen,
        request_key=key or uuid4(),
        actor=None,
        at=at,
    )


def deliver(order: Order, *, fails: Sequence[str] = (), at: datetime = AT) -> None:
    """Have the supplier deliver an order's items, but refuse those of the SKUs in `fails`, as the engine records it."""
    deliveries = Delivery.objects.filter(company=connection.schema_name, order_number=order.number)
    for delivery in deliveries.order_by("pk"):
        record_outcome(delivery, succeeds=delivery.sku_code not in fails, at=at)


def claim(delivery: Delivery, *, at: datetime = AT) -> Attempt:
    """Claim one delivery as the engine does before it sends: routed, with its attempt written."""
    suppliers = connections.Connections(Supplier.objects.all())
    with transaction():
        # Due before all others, so that one claim takes exactly this one.
        Delivery.objects.filter(pk=delivery.pk).update(due_at=at - timedelta(days=1))
        claims.claim_ready(batches=claims.Batches(suppliers), supplier=None, limit=1, at=at)
    return Attempt.objects.select_related("delivery", "offer", "supplier").get(
        delivery=delivery, status=Attempt.Status.SENDING
    )


def record_outcome(delivery: Delivery, *, succeeds: bool, at: datetime = AT) -> None:
    """Claim one delivery and record what its supplier answered: done, or definitely refused."""
    attempt = claim(delivery, at=at)
    rhythm = connections.adapter_of(attempt.supplier).rhythm
    with transaction():
        if not succeeds:
            answer = Answer(Verdict.REJECTED, reason=Reason.NUMBER_EMPTY)
            recording.record_answer(
                attempt=attempt, claim=Claim.of(attempt), answer=answer, rhythm=rhythm, at=at
            )
            return
        answer = Answer(Verdict.ACCEPTED, supplier_ref="up-1")
        recording.record_answer(attempt=attempt, claim=Claim.of(attempt), answer=answer, rhythm=rhythm, at=at)
        result = _success(connections.order_of(attempt))
        recording.record_result(attempt=attempt, result=result, rhythm=rhythm, at=at)


def _success(order: SupplierOrder) -> Result:
    cards = (CardCode(secret=f"secret-{order.reference}"),) if order.kind is Kind.CARD else ()
    return Result(
        State.SUCCESS,
        account=order.account,
        product=order.product,
        quantity=order.quantity,
        cost_fen=order.cost_fen,
        cards=cards,
    )


def settle(*, at: datetime = AT) -> int:
    """Settle what the current company's deliveries have found out."""
    return orders.settle_due(at=at)


def wallet_fen(employee: Employee) -> int:
    """What the wallet's stored balance says."""
    balance = Account.objects.get(employee=employee).balance_fen
    assert balance is not None
    return balance


def budget_fen(budget: Budget) -> int:
    """What the budget's stored balance says."""
    balance = Account.objects.get(pk=budget.account_id).balance_fen
    assert balance is not None
    return balance


def funds_fen(company: Company) -> int:
    """What the company's funds hold."""
    with schema_context("public"):
        return FundsAccount.objects.get(company=company.schema_name).balance_fen


def derived_fen(kind: str) -> int:
    """What stands on one of the company's own accounts, by its postings."""
    account = Account.objects.get(kind=kind)
    came = Posting.objects.filter(destination=account).aggregate(fen=Sum("fen"))["fen"] or 0
    went = Posting.objects.filter(source=account).aggregate(fen=Sum("fen"))["fen"] or 0
    return came - went
