"""The company console's cast: people of Acme who sign in with one role each, and a roster."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.test import Client

from benefits.funds import operations as funds
from benefits.people import operations as people
from benefits.people.models import Employee
from benefits.points import operations as points
from benefits.points.models import Budget
from tenants.db import transaction
from tenants.identity.models import User
from tenants.models import Company

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
Door = Callable[..., Client]


@pytest.fixture
def signed_in(acme: Company) -> Door:
    """A browser on Acme's host, signed in with some roles; without roles, nobody."""

    def open_door(*roles: str, host: str = "acme.localhost") -> Client:
        client = Client(HTTP_HOST=host, headers={"accept-language": "en"})
        client.cookies["language"] = "en"
        if roles:
            user = User.objects.create_user(f"{'-'.join(roles)}-{uuid4().hex[:6]}", password="x", name="Hana")
            user.groups.set(Group.objects.filter(name__in=roles))
            client.force_login(user)
            client.user = user  # type: ignore[attr-defined]
        return client

    cache.clear()
    return open_door


@pytest.fixture
def hr(signed_in: Door) -> Client:
    return signed_in("hr")


def employ(count: int = 3, *, department: str = "技术中心/后端组", first: int = 1) -> list[Employee]:
    """So many employees A001, A002, … with wallets."""
    with transaction():
        found = people.add_employees(
            people={
                f"A{n:03d}": {
                    "name": f"员工{n}",
                    "mobile": f"138{n:08d}",
                    "department": department,
                    "status": "active",
                }
                for n in range(first, first + count)
            },
            at=AT,
        )
        points.open_wallets(employees=found)
    return found


def pay_in(company: Company, yuan: int = 10_000) -> None:
    """A confirmed deposit."""
    deposit = funds.record_deposit(
        company=company, fen=yuan * 100, reference=f"bank-{uuid4().hex[:8]}", actor=None, at=AT
    )
    funds.confirm_deposit(deposit=deposit, actor=None, at=AT)


def a_budget(company: Company, *, name: str = "Spring", yuan: int = 0) -> Budget:
    """An open budget, loaded with so many yuan."""
    budget = points.open_budget(name=name, owner="Hana", from_date=AT.date(), actor=None, at=AT)
    if yuan:
        pay_in(company, yuan)
        points.load_budget(budget=budget, fen=yuan * 100, request_key=uuid4(), actor=None, at=AT)
    return Budget.objects.select_related("account").get(pk=budget.pk)
