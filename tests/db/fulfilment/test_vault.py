"""Card codes: one owner, sealed in place, shown only with a trace."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group
from django.db import connection

from benefits.fulfilment.engine import Tally
from benefits.fulfilment.errors import CodesNotFound, CodesUnreadable
from benefits.fulfilment.models import CardCode, Case, Supplier
from benefits.fulfilment.vault import codes
from tenants.identity.models import AuditEvent, User
from tenants.identity.roles import Role
from tenants.models import Company
from tests.db.fulfilment.conftest import Clock, a_card_delivery, a_delivery, statuses
from tests.supplier_process import SupplierProcess

Run = Callable[..., Tally]


def someone(*roles: Role) -> User:
    user = User.objects.create_user(f"someone-{User.objects.count()}")
    for role in roles:
        user.groups.add(Group.objects.get_or_create(name=role)[0])
    return user


def raw(column: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM fulfilment_cardcode ORDER BY id")
        return [row[0] for row in cursor.fetchall()]


@pytest.fixture
def card(supplier: Supplier, upstream: SupplierProcess, run: Run):
    delivery = a_card_delivery()
    run()
    run(3)
    assert statuses(delivery) == ("succeeded", ["succeeded"])
    return delivery


def true_code(upstream: SupplierProcess) -> str:
    import json

    return json.loads(upstream.truth()["deliveries"][0]["cards"])[0]["secret"]


def test_the_owner_sees_what_the_supplier_gave(
    card, upstream: SupplierProcess, clock: Clock, acme: Company
) -> None:
    connection.set_tenant(acme)
    shown = codes.reveal(delivery=card, actor=someone(Role.EMPLOYEE), at=clock())
    assert [code.secret for code in shown] == [true_code(upstream)]
    assert true_code(upstream) not in repr(shown)


def test_each_showing_leaves_a_trace_before_it(card, clock: Clock, acme: Company) -> None:
    connection.set_tenant(acme)
    employee = someone(Role.EMPLOYEE)
    for _ in range(3):
        codes.reveal(delivery=card, actor=employee, at=clock())
    events = AuditEvent.objects.filter(action="card_code.revealed")
    assert [event.actor for event in events] == [employee.username] * 3
    assert CardCode.objects.get().first_shown_at == clock()


def test_without_a_trace_nothing_is_shown(
    card, clock: Clock, acme: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    connection.set_tenant(acme)
    monkeypatch.setattr(codes.audit, "record", fail)
    with pytest.raises(RuntimeError):
        codes.reveal(delivery=card, actor=someone(Role.EMPLOYEE), at=clock())


def test_another_company_does_not_see_it(card, clock: Clock, globex: Company) -> None:
    connection.set_tenant(globex)
    with pytest.raises(CodesNotFound):
        codes.reveal(delivery=card, actor=someone(Role.EMPLOYEE), at=clock())


@pytest.mark.parametrize(
    ("role", "sees"), [(Role.OPERATOR, True), (Role.PLATFORM_ADMIN, True), (Role.PLATFORM_FINANCE, False)]
)
def test_on_the_platform_only_who_has_the_right_sees_it(card, clock: Clock, role: Role, sees: bool) -> None:
    user = someone(role)
    if sees:
        assert codes.reveal(delivery=card, actor=user, at=clock())
        assert AuditEvent.objects.filter(action="card_code.revealed", actor=user.username).count() == 1
    else:
        with pytest.raises(CodesNotFound):
            codes.reveal(delivery=card, actor=user, at=clock())


def test_the_database_holds_no_code(card, upstream: SupplierProcess) -> None:
    secret = true_code(upstream)
    for column in ("code", "card_number", "code_index"):
        assert secret not in raw(column)[0]


def test_a_sealed_code_does_not_open_in_another_place(
    card, supplier: Supplier, run: Run, clock: Clock, acme: Company
) -> None:
    other = a_card_delivery(company="globex")
    run()
    run(3)
    first, second = raw("code")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE fulfilment_cardcode SET code = %s WHERE delivery_id = %s", [second, card.pk])
        cursor.execute("UPDATE fulfilment_cardcode SET code = %s WHERE delivery_id = %s", [first, other.pk])
    connection.set_tenant(acme)
    with pytest.raises(CodesUnreadable):
        codes.reveal(delivery=card, actor=someone(Role.EMPLOYEE), at=clock())
    assert AuditEvent.objects.filter(action="card_code.revealed").exists()


def test_a_code_that_is_already_someones_is_a_case(
    supplier: Supplier, upstream: SupplierProcess, run: Run
) -> None:
    upstream.faults("card_repeated")
    first, second = a_card_delivery(), a_card_delivery()

    run()
    run(3)
    run(600)

    assert {statuses(first)[0], statuses(second)[0]} == {"succeeded", "active"}
    assert Case.objects.get().kind == Case.Kind.CODES
    assert CardCode.objects.count() == 1


@pytest.mark.parametrize("fault", ["card_empty", "card_short"])
def test_a_success_without_its_code_is_a_case(
    supplier: Supplier, upstream: SupplierProcess, run: Run, fault: str
) -> None:
    upstream.faults(fault)
    delivery = a_card_delivery()
    run()
    run(3)
    assert statuses(delivery) == ("active", ["waiting"])
    assert Case.objects.get().kind == Case.Kind.CODES


def test_a_topup_has_no_code(supplier: Supplier, run: Run, clock: Clock, acme: Company) -> None:
    connection.set_schema_to_public()
    delivery = a_delivery()
    run()
    run(3)
    connection.set_tenant(acme)
    with pytest.raises(CodesNotFound):
        codes.reveal(delivery=delivery, actor=someone(Role.EMPLOYEE), at=clock())


def test_codes_and_accounts_are_in_no_log(
    supplier: Supplier, upstream: SupplierProcess, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    a_card_delivery()
    a_delivery()
    run()
    run(3)
    assert true_code(upstream) not in caplog.text
    assert "13800138001" not in caplog.text
