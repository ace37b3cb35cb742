"""Acme's people who ask and decide, each with one role, and a funded budget."""

from collections.abc import Callable
from uuid import uuid4

import pytest

from benefits.approvals import operations, standing
from benefits.approvals.limits import Limit
from benefits.approvals.models import Approval
from benefits.points.models import Budget
from tenants.identity.models import User
from tenants.identity.roles import Role
from tenants.models import Company
from tests import factories, people
from tests.factories import AT

Person = Callable[..., User]


@pytest.fixture
def person(acme: Company) -> Person:
    """Somebody of Acme with these roles, signed up and active."""
    return people.somebody


@pytest.fixture
def admin(person: Person) -> User:
    return person(Role.ADMIN, name="ada")


@pytest.fixture
def hana(person: Person) -> User:
    return person(Role.HR, name="hana")


@pytest.fixture
def arno(person: Person) -> User:
    return person(Role.APPROVER, name="arno")


@pytest.fixture
def budget(acme: Company) -> Budget:
    """Holds 1,000 yuan; the funds hold another 10,000."""
    made = factories.a_budget(100_000, name="Spring")
    factories.a_deposit(1_000_000)
    return made


@pytest.fixture
def limited(admin: User) -> None:
    """HR loads up to 100 yuan alone; approvers and administrators approve anything."""
    set_limits(admin, "load", hr=Limit(10_000, 0), admin=Limit(0, None))


def set_limits(actor: User, kind: str, /, **rows: Limit) -> None:
    standing.set_limits(kind=kind, rows=rows, actor=actor, at=AT)


def ask(budget: Budget, asker: User, fen: int = 50_000, **more: object) -> Approval:
    """A load that is above what the asker may do alone."""
    made = submit(budget, asker, fen, **more)
    assert made is not None
    return made


def submit(budget: Budget, asker: User, fen: int, **more: object) -> Approval | None:
    asked = {"kind": "load", "request_key": uuid4(), "details": {}, "at": AT, **more}
    return operations.submit(subject=budget, fen=fen, actor=asker, **asked)  # type: ignore[arg-type]
