"""Sealing: every committed row once, whoever commits late, seals at the same time or dies half way."""

import signal
import subprocess
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.db import transaction as django_transaction
from django.utils import timezone
from django_tenants.utils import schema_context

from benefits import tasks
from benefits.journal import checking, operations, queries, records
from benefits.journal.models import Anchor, Checkpoint, Entry
from benefits.orders.models import Order
from benefits.people.models import Employee
from benefits.points.models import Posting
from tenants import audit
from tenants import operations as tenants
from tenants.db import transaction
from tenants.identity.models import AuditEvent
from tenants.models import Company
from tests import factories
from tests.crashes import run_to
from tests.db.journal.conftest import LATER, NOW


def test_everything_final_is_sealed_once(order: Order) -> None:
    assert set(Entry.objects.values_list("kind", "ref")) == {
        *(("posting", pk) for pk in Posting.objects.values_list("pk", flat=True)),
        *(("event", pk) for pk in AuditEvent.objects.values_list("pk", flat=True)),
    }
    assert list(Entry.objects.values_list("seq", flat=True)) == list(range(1, Entry.objects.count() + 1))
    first, second = Checkpoint.objects.all()
    assert (first.first, second.first, second.last) == (1, first.last + 1, Entry.objects.count())
    assert operations.seal(at=LATER) is None
    assert checking.flaws() == []


def test_what_waits_is_known(alice: Employee) -> None:
    count = Posting.objects.count() + AuditEvent.objects.count()
    assert queries.waiting(until=LATER).count == count
    assert checking.unsealed(LATER)
    assert operations.seal_all(at=NOW) == count
    assert queries.waiting(until=LATER).count == 0
    assert checking.unsealed(LATER) == []


def test_the_platforms_own_events_are_sealed_too(order: Order) -> None:
    with schema_context("public"):
        assert operations.seal_all(at=NOW) == AuditEvent.objects.count() > 0
        assert checking.flaws() == []
        assert set(Entry.objects.values_list("kind", flat=True)) == {"event"}


def test_the_sweep_finds_whoever_has_something_and_rested(alice: Employee) -> None:
    assert set(queries.schemas_to_seal(NOW)) == {"public", "acme", "globex"}
    operations.seal_all(at=NOW)
    assert "acme" not in queries.schemas_to_seal(LATER)
    factories.redeem(alice)
    assert "acme" not in queries.schemas_to_seal(NOW + timedelta(seconds=30))
    assert "acme" in queries.schemas_to_seal(NOW + timedelta(seconds=90))


def test_what_a_company_wrote_before_it_was_suspended_is_sealed(alice: Employee, acme: Company) -> None:
    tenants.suspend(company=acme, actor=None, at=NOW)
    assert "acme" not in queries.schemas_to_seal(LATER)
    assert operations.seal_idle(at=LATER) == Posting.objects.count() + AuditEvent.objects.count()
    assert operations.seal_idle(at=LATER + timedelta(hours=1)) == 0
    assert checking.unsealed(LATER) == []


def test_the_tasks_seal_and_close(alice: Employee, acme: Company, mailoutbox: list[Any]) -> None:
    rung: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tasks.seal, "ring", rung.append)
        with schema_context("public"):
            tasks.sweep_journals.run()
    assert sorted(rung) == ["acme", "globex", "public"]
    tasks.seal.run()
    assert queries.waiting(until=timezone.now()).count == 0
    factories.redeem(alice)
    tasks.close_journal.run()
    assert queries.waiting(until=timezone.now()).count == 0
    assert [mail.to for mail in mailoutbox] == [["owner@acme.example"]]


def test_a_batch_is_limited_and_the_rest_follows(alice: Employee, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "BATCH", 2)
    count = Posting.objects.count() + AuditEvent.objects.count()
    assert operations.seal_all(at=NOW) == count
    assert Checkpoint.objects.count() > 2
    assert checking.flaws() == []


@pytest.mark.parametrize("table", ["journal_entry", "journal_checkpoint", "journal_anchor"])
def test_what_is_sealed_is_final(order: Order, table: str) -> None:
    operations.anchor(at=LATER)
    connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")
    for statement in (f"UPDATE {table} SET at = now()", f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
        with pytest.raises(IntegrityError, match="is final"), django_transaction.atomic():
            connection.cursor().execute(statement)


def test_a_lower_id_that_commits_late_is_sealed_next(race_company: Company) -> None:
    written, sealed = threading.Event(), threading.Event()

    def slow() -> None:
        connection.set_tenant(race_company)
        try:
            with transaction():
                audit.record("slow", "company:acme", actor=None, at=NOW)
                written.set()
                assert sealed.wait(20)
        finally:
            connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    assert written.wait(20)
    with transaction():
        quick = audit.record("quick", "company:acme", actor=None, at=NOW)
    operations.seal(at=NOW)
    assert Entry.objects.filter(kind="event", ref=quick.pk).exists()
    sealed.set()
    thread.join(20)

    late = AuditEvent.objects.get(action="slow")
    assert late.pk < quick.pk
    assert not Entry.objects.filter(kind="event", ref=late.pk).exists()
    assert "acme" in queries.schemas_to_seal(NOW + timedelta(minutes=2))
    assert operations.seal(at=NOW + timedelta(minutes=2))
    assert Entry.objects.filter(kind="event", ref=late.pk).exists()
    assert checking.flaws() == []


def test_what_appears_far_below_is_found_by_the_days_closing(order: Order) -> None:
    """Nothing of the mall commits so late; whoever writes such a row by hand is sealed with its own time, and seen."""
    top = operations.seal(at=LATER) or Checkpoint.objects.latest("number")
    much_later = LATER + 2 * records.LONGEST
    _event(AuditEvent.objects.latest("id").pk + 50)
    operations.seal(at=LATER)
    _event(top.events_to + 1)  # below what the last checkpoint has seen
    assert operations.seal(at=much_later) is None
    assert operations.close(at=much_later) == 1
    assert checking.flaws() == []


def _event(pk: int) -> None:
    AuditEvent.objects.create(pk=pk, at=NOW, actor="x", action="by.hand", subject="company:acme")


def test_sealers_at_the_same_time_seal_once(race_company: Company, at_once: Callable[..., list[Any]]) -> None:
    factories.a_catalogue()
    alice = factories.an_employee(with_fen=40_000)
    results = at_once(
        *[lambda: operations.seal_all(at=NOW) for _ in range(5)], *[lambda: factories.redeem(alice)] * 2
    )
    assert [one for one in results if isinstance(one, Exception)] == []
    operations.seal_all(at=NOW)
    rows = Posting.objects.count() + AuditEvent.objects.count()
    assert Entry.objects.count() == rows
    assert checking.flaws() == []


def test_a_sealer_killed_half_way_leaves_nothing(race_company: Company, tmp_path: Path) -> None:
    anchors = {"JOURNAL_ANCHORS": str(tmp_path / "anchors")}

    def run() -> subprocess.CompletedProcess[str]:
        command = ("manage.py", "seal_journal", "--company", "acme", "--json")
        return run_to("in_seal", tmp_path / "mark", *command, environment=anchors)

    assert run().returncode == -signal.SIGKILL
    assert (Entry.objects.count(), Checkpoint.objects.count()) == (0, 0)
    again = run()
    assert again.returncode == 0, again.stderr
    assert Entry.objects.count() == AuditEvent.objects.count() + Posting.objects.count()
    assert checking.flaws() == []


def test_a_checkpoint_is_anchored_by_file_at_once_and_by_mail_once_a_day(
    order: Order, mailoutbox: list[Any], settings: Any
) -> None:
    made = operations.anchor(at=LATER)
    assert [anchor.channel for anchor in made] == ["file", "mail"]
    mail = mailoutbox[0]
    assert mail.to == ["owner@acme.example"]
    assert [name for name, _, _ in mail.attachments] == ["anchor-acme-2.json"]
    assert operations.anchor(at=LATER) == []
    with transaction():
        audit.record("x", "company:acme", actor=None, at=LATER)
    operations.seal(at=LATER)
    assert [one.channel for one in operations.anchor(at=LATER + timedelta(hours=1))] == ["file"]
    assert len(mailoutbox) == 1
    with transaction():
        audit.record("x", "company:acme", actor=None, at=LATER)
    operations.seal(at=LATER + timedelta(hours=2))
    assert [one.channel for one in operations.anchor(at=LATER + timedelta(hours=24))] == ["file", "mail"]
    assert Anchor.objects.count() == 5
    assert len(list((settings.JOURNAL_ANCHORS / "acme").glob("*.json"))) == 3
    assert checking.flaws() == []


def test_a_replaced_key_still_verifies(order: Order, settings: Any) -> None:
    from benefits.journal import keys

    old = keys.current()
    settings.JOURNAL_KEYS = ["a-new-secret-of-more-than-32-characters", f"public:{old.public.hex()}"]
    with transaction():
        audit.record("x", "company:acme", actor=None, at=LATER)
    assert operations.seal(at=LATER)
    assert len(set(Checkpoint.objects.values_list("key", flat=True))) == 2
    assert checking.flaws() == []
    settings.JOURNAL_KEYS = settings.JOURNAL_KEYS[:1]
    assert checking.flaws() == ["the signature of checkpoint 1 is wrong"]


TAMPERED = {
    "a posting is changed": ("UPDATE points_posting SET fen = fen + 1 WHERE kind = 'refund'", "is not what was sealed"),
    "a lot's entry is changed": ("UPDATE points_lotentry SET fen = fen - 1 WHERE fen < 0", "is not what was sealed"),
    "a lot's entry is removed": ("DELETE FROM points_lotentry WHERE fen > 0 AND item <> ''", "is not what was sealed"),
    "who did it is changed": ("UPDATE identity_auditevent SET actor = 'bob'", "is not what was sealed"),
    "from where is changed": ("UPDATE identity_auditevent SET address = '::1'", "is not what was sealed"),
    "a fact is changed": ("UPDATE identity_auditevent SET facts = '{}' WHERE action = 'order.placed'", "is not what"),
    "an event is removed": ("DELETE FROM identity_auditevent WHERE action = 'order.placed'", "is gone"),
    "an entry is removed": ("DELETE FROM journal_entry WHERE seq = 2", "record 2 is missing"),
    "an entry is changed": ("UPDATE journal_entry SET hash = leaf WHERE seq = 2", "record 2,"),
    "a checkpoint is removed": ("DELETE FROM journal_checkpoint WHERE number = 1", "checkpoint 2 does not follow"),
    "a root is changed": ("UPDATE journal_checkpoint SET root = head WHERE number = 1", "made of other records"),
    "a signature is changed": ("UPDATE journal_checkpoint SET signature = signature || 'x' WHERE number = 2", "signature"),
    "the end is cut": (
        "DELETE FROM journal_entry WHERE seq > (SELECT last FROM journal_checkpoint WHERE number = 1);"
        " DELETE FROM journal_checkpoint WHERE number = 2",
        "the end was cut off",
    ),
    "the journal is cut and signed anew": ("", "says something else"),
}  # fmt: skip


@pytest.mark.parametrize("what", TAMPERED)
def test_whoever_switches_the_guards_off_is_found(order: Order, what: str) -> None:
    operations.anchor(at=LATER)
    statement, said = TAMPERED[what]
    connection.check_constraints()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in (
            "points_posting", "points_lotentry", "points_lot", "identity_auditevent", "journal_entry", "journal_checkpoint",
            "journal_anchor",
        ):  # fmt: skip
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute("DELETE FROM journal_anchor")
        if statement:
            cursor.execute(statement)
        else:
            cursor.execute("DELETE FROM journal_checkpoint; DELETE FROM journal_entry")
            cursor.execute("UPDATE points_posting SET at = at + interval '1 minute'")
            operations.seal_all(at=NOW)
            with transaction():
                audit.record("x", "company:acme", actor=None, at=LATER)
            operations.seal_all(at=LATER)
    found = checking.flaws()
    assert len(found) == 1, found
    assert said in found[0]
