"""Suppliers are added and changed in one place, whichever door is used; what cannot work is refused at once."""

import json
from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command

from benefits.fulfilment import upkeep
from benefits.fulfilment.errors import SupplierExists, SupplierMisconfigured
from benefits.fulfilment.models import Supplier
from benefits.suppliers.simulator.dialects.goofish import DEFAULT_KEYS
from tenants.identity.models import AuditEvent

AT = datetime(2026, 1, 5, 2, tzinfo=UTC)
KEYS = json.dumps(DEFAULT_KEYS)


def a_supplier(credentials: str = KEYS) -> Supplier:
    return upkeep.add_supplier(
        slug="north",
        name="North",
        adapter="goofish",
        base_url="http://127.0.0.1:9",
        credentials=credentials,
        actor=None,
        at=AT,
    )


def add(*, name: str = "North", credentials: str = KEYS) -> None:
    call_command(
        "add_supplier", "north", f"--name={name}", "--adapter=goofish", "--base-url=http://127.0.0.1:9",
        f"--credentials={credentials}", "--json",
    )  # fmt: skip


def test_a_short_name_is_taken_once(public: None) -> None:
    a_supplier()
    with pytest.raises(SupplierExists):
        a_supplier()


@pytest.mark.parametrize("credentials", ["{", "[]", "null", "{}", '{"options": 1}'])
def test_credentials_that_cannot_work_are_refused(public: None, credentials: str) -> None:
    with pytest.raises(SupplierMisconfigured):
        a_supplier(credentials)
    assert not Supplier.objects.exists()


def test_a_change_without_credentials_keeps_those_that_are_there(public: None) -> None:
    supplier = upkeep.change_supplier(
        supplier=a_supplier(), name="South", base_url="http://127.0.0.1:8", is_active=False, actor=None, at=AT
    )
    supplier.refresh_from_db()
    assert (supplier.name, supplier.is_active, supplier.credentials) == ("South", False, KEYS)
    assert not AuditEvent.objects.get(action="supplier.changed").facts["keys"]


def test_the_command_adds_and_then_changes(public: None, capsys: pytest.CaptureFixture[str]) -> None:
    add()
    add(name="South")
    assert Supplier.objects.get().name == "South"
    actions = AuditEvent.objects.filter(action__startswith="supplier.").order_by("pk")
    assert list(actions.values_list("action", flat=True)) == ["supplier.added", "supplier.changed"]
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["supplier"] == "north"


def test_the_command_does_not_change_the_dialect(public: None) -> None:
    a_supplier()
    Supplier.objects.update(adapter="another")
    with pytest.raises((CommandError, SystemExit)):
        add()
    assert Supplier.objects.get().adapter == "another"
