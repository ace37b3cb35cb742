"""What the portal's tests begin with: people with points, a catalogue on offer, orders in every state."""

import json
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import connection
from django.utils import timezone

from benefits.catalogue import queries as catalogue
from benefits.catalogue import seed
from benefits.fulfilment import upkeep
from benefits.fulfilment.models import Delivery
from benefits.fulfilment.vault import codes
from benefits.funds import operations as funds
from benefits.orders import operations as orders
from benefits.orders.models import Order
from benefits.people.models import Department, Employee
from benefits.people.queries import mobile_index
from benefits.points import operations as points
from benefits.points.models import Budget
from benefits.suppliers import base
from benefits.suppliers.simulator.dialects.goofish import DEFAULT_KEYS as KEYS
from tenants.db import transaction
from tenants.identity import operations as identity
from tenants.identity.models import User
from tenants.identity.roles import Role
from tenants.models import Company

OWN = "13800138000"


def a_catalogue() -> None:
    """The example catalogue, offered by one supplier."""
    seed.seed()
    supplier = upkeep.add_supplier(
        slug="test", name="Test", adapter="goofish", base_url="http://127.0.0.1:9", credentials=json.dumps(KEYS),
        actor=None, at=timezone.now(),
    )  # fmt: skip
    upkeep.offer_catalogue(supplier=supplier, percent=90, actor=None, at=timezone.now())


def a_user(username: str, *roles: Role) -> User:
    """Somebody who can sign in and is on no roster."""
    with transaction():
        return identity.add_user(
            username=username, name=username, email="", roles=roles, actor=None, at=timezone.now()
        )


def an_employee(
    number: str = "A001", name: str = "王小雨", *, mobile: str = OWN, with_fen: int = 0
) -> Employee:
    """An active employee with a user, a wallet and, where asked, points that do not expire."""
    at = timezone.now()
    user = a_user(number, Role.EMPLOYEE)
    with transaction():
        department, _ = Department.objects.get_or_create(path="技术中心/后端组")
        employee = Employee.objects.create(
            employee_no=number, name=name, mobile=mobile, mobile_index=mobile_index(mobile), user=user,
            department=department, created_at=at, updated_at=at,
        )  # fmt: skip
        points.open_wallets(employees=[employee])
    if with_fen:
        grant(employee, with_fen)
    return employee


def a_budget(name: str = "年度福利", *, categories: tuple[str, ...] = ()) -> Budget:
    """A budget with ten thousand yuan in it, paid for by a deposit."""
    at = timezone.now()
    found = Budget.objects.filter(name=name).first()
    if found is not None:
        return found
    company = Company.objects.get(schema_name=connection.schema_name)
    paid = funds.record_deposit(
        company=company, fen=10_000_000, reference=f"bank-{uuid4()}", actor=None, at=at
    )
    funds.confirm_deposit(deposit=paid, actor=None, at=at)
    budget = points.open_budget(
        name=name, owner="hr", from_date=date(2020, 1, 1), categories=categories, actor=None, at=at
    )
    points.load_budget(budget=budget, fen=1_000_000, request_key=uuid4(), actor=None, at=at)
    return budget


def grant(
    employee: Employee,
    fen: int,
    *,
    reason: str = "年度福利",
    days: int | None = None,
    budget: Budget | None = None,
) -> None:
    """Points for one employee, expiring in so many days where given."""
    at = timezone.now()
    points.grant(
        budget=budget or a_budget(), audience=points.Audience(amounts=((employee.employee_no, fen),)), fen=0, reason=reason,
        expires_at=at + timedelta(days=days) if days else None, request_key=uuid4(), actor=None, at=at,
    )  # fmt: skip


def an_order(
    employee: Employee,
    sku: str = "topup-mobile-50",
    *,
    account: str = OWN,
    key: UUID | None = None,
    at: datetime | None = None,
) -> Order:
    """An order, placed as the portal places it."""
    found = catalogue.find_sku(sku)
    assert found is not None
    return orders.redeem(
        employee=employee, sku=found, account=account, quoted_fen=found.price_fen, request_key=key or uuid4(),
        actor=employee.user, at=at or timezone.now(),
    )  # fmt: skip


def finish(order: Order, *, failed: str = "", secret: str = "", **changes: Any) -> Order:
    """Give every delivery of an order its outcome and settle it: delivered, or failed for a reason."""
    at = timezone.now()
    for delivery in Delivery.objects.filter(company=connection.schema_name, order_number=order.number):
        status = Delivery.Status.FAILED if failed else Delivery.Status.SUCCEEDED
        Delivery.objects.filter(pk=delivery.pk).update(
            status=status, reason=failed, finished_at=at, **changes
        )
        if secret:
            with transaction():
                codes.store(
                    delivery=delivery, cards=[base.CardCode(number="6228 0001", secret=secret)], at=at
                )
    orders.settle_due(at=at)
    order.refresh_from_db()
    return order
