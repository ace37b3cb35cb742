"""The doors that workers use: one call each, ids as keyword arguments, the schema in the header."""

from contextlib import suppress

from celery import shared_task
from django.utils import timezone

from benefits.approvals import operations as approvals
from benefits.approvals import queries as requests
from benefits.campaigns import operations as campaigns
from benefits.campaigns import queries as rehearsals
from benefits.fulfilment import operations as fulfilment
from benefits.fulfilment import queries as deliveries
from benefits.funds import alerts
from benefits.journal import operations as journal
from benefits.journal import queries as journals
from benefits.orders import operations as orders
from benefits.points import budgets, expiry, leavers, reminders
from benefits.roster import operations as roster
from benefits.roster import queries as rosters
from benefits.roster.models import RosterImport
from tenants.db import connection
from tenants.errors import Conflict
from tenants.tasks import PUBLIC

# A bell that nobody heard in time is rung again by the sweeps. Runs that can last go behind those that are short (see
# CELERY_TASK_ROUTES), and end soon while more comes in: settling never waits for a rush of orders to be over.
BELL = {"expires": 10}
RUN_SECONDS = 10
BATCHES = 10  # checkpoints that one bell makes where much waits


@shared_task(name="benefits.send_due", **BELL)
def send_due() -> None:
    fulfilment.send_due(clock=timezone.now, seconds=RUN_SECONDS)
    ring_settlements()


@shared_task(name="benefits.ask_due", **BELL)
def ask_due() -> None:
    fulfilment.ask_due(clock=timezone.now, seconds=RUN_SECONDS)
    ring_settlements()


@shared_task(name="benefits.settle", **BELL)
def settle() -> None:
    orders.settle_due(at=timezone.now())


@shared_task(name="benefits.sweep")
def sweep() -> None:
    ring_settlements()


@shared_task(name="benefits.check_roster_import")
def check_roster_import(*, import_id: int) -> None:
    with suppress(Conflict):  # another worker is at it
        roster.check(roster_import=rosters.find_import(import_id), at=timezone.now())


@shared_task(name="benefits.apply_roster_import")
def apply_roster_import(*, import_id: int) -> None:
    with suppress(Conflict):  # another worker is at it, or a new plan waits for a person
        roster.apply(roster_import=rosters.find_import(import_id), at=timezone.now())


@shared_task(name="benefits.undo_roster_import")
def undo_roster_import(*, import_id: int) -> None:
    with suppress(Conflict):  # another worker is at it
        roster.undo_now(roster_import=rosters.find_import(import_id), at=timezone.now())


@shared_task(name="benefits.sweep_rosters")
def sweep_rosters() -> None:
    """Ring again for imports whose bell or worker was lost."""
    for schema, import_id, status in rosters.stalled_everywhere(timezone.now()):
        ring_roster_import(schema, import_id=import_id, status=status)


@shared_task(name="benefits.carry_out_approval")
def carry_out_approval(*, approval_id: int) -> None:
    approvals.carry_out(approval=requests.find_approval(approval_id), at=timezone.now())
    ring_running()


@shared_task(name="benefits.tend_approvals")
def tend_approvals() -> None:
    approvals.tend(at=timezone.now())


@shared_task(name="benefits.sweep_approvals")
def sweep_approvals() -> None:
    """Ring where a request is approved and not carried out, overdue, or to be reminded of."""
    for schema in requests.companies_to_tend(timezone.now()):
        tend_approvals.ring(schema)


@shared_task(name="benefits.seal", **BELL)
def seal() -> None:
    journal.seal_all(at=timezone.now(), most=BATCHES)


@shared_task(name="benefits.close_journal")
def close_journal() -> None:
    journal.close(at=timezone.now())


@shared_task(name="benefits.sweep_journals", **BELL)
def sweep_journals() -> None:
    """Ring wherever something was written that is not sealed yet."""
    for schema in journals.schemas_to_seal(timezone.now()):
        seal.ring(schema)
    journal.seal_idle(at=timezone.now())


@shared_task(name="benefits.end_grace")
def end_grace() -> None:
    leavers.end_grace(at=timezone.now())


@shared_task(name="benefits.forget_rosters")
def forget_rosters() -> None:
    roster.forget_old(at=timezone.now())


@shared_task(name="benefits.expire_points")
def expire_points() -> None:
    expiry.expire_due(at=timezone.now())


@shared_task(name="benefits.remind")
def remind() -> None:
    reminders.remind(at=timezone.now())
    mail_reminders.ring(connection.schema_name)


@shared_task(name="benefits.mail_reminders")
def mail_reminders() -> None:
    reminders.mail_due(at=timezone.now())


@shared_task(name="benefits.run_campaigns")
def run_campaigns() -> None:
    for rehearsal in campaigns.run_due(at=timezone.now()):
        ring_hand_out(connection.schema_name, rehearsal_id=rehearsal.pk)


@shared_task(name="benefits.hand_out")
def hand_out(*, rehearsal_id: int) -> None:
    """Hand out for a while; a long one stands in line again, so that others get their turn."""
    rehearsal = rehearsals.find_rehearsal(rehearsal_id)
    if campaigns.hand_out_while(rehearsal=rehearsal, clock=timezone.now, seconds=RUN_SECONDS):
        ring_hand_out(connection.schema_name, rehearsal_id=rehearsal_id)


@shared_task(name="benefits.sweep_rehearsals")
def sweep_rehearsals() -> None:
    """Ring again for what is being handed out and whose bell or worker was lost."""
    for schema, rehearsal_id in rehearsals.stalled_everywhere(timezone.now()):
        ring_hand_out(schema, rehearsal_id=rehearsal_id)


@shared_task(name="benefits.end_budgets")
def end_budgets() -> None:
    budgets.end_budgets(at=timezone.now())


@shared_task(name="benefits.mail_low_funds")
def mail_low_funds() -> None:
    alerts.mail(at=timezone.now())


@shared_task(name="benefits.watch_funds")
def watch_funds() -> None:
    """Ring in every company whose funds have fallen below its mark."""
    for schema in alerts.notice(at=timezone.now()):
        mail_low_funds.ring(schema)


@shared_task(name="benefits.keep_house")
def keep_house() -> None:
    """Ring in every open company for what is due by the calendar."""
    for schema in rosters.open_companies():
        end_grace.ring(schema)
        end_budgets.ring(schema)
        forget_rosters.ring(schema)
        expire_points.ring(schema)
        remind.ring(schema)
        run_campaigns.ring(schema)
        close_journal.ring(schema)
    close_journal.ring(PUBLIC)


def ring_roster_import(schema: str, *, import_id: int, status: str) -> None:
    """Ring for the next step of an import: a received one is checked, a confirmed one applied, an applied one undone."""
    bells = {
        rosters.TO_CHECK: check_roster_import,
        rosters.TO_APPLY: apply_roster_import,
        rosters.TO_UNDO: undo_roster_import,
    }
    bells[RosterImport.Status(status)].ring(schema, import_id=import_id)


def ring_approval(schema: str, *, approval_id: int) -> None:
    """Ring for what has just been approved."""
    carry_out_approval.ring(schema, approval_id=approval_id)


def ring_running() -> None:
    """Ring for whatever of this company is being handed out; two workers at one grant do no harm."""
    for rehearsal in rehearsals.running():
        ring_hand_out(connection.schema_name, rehearsal_id=rehearsal.pk)


def ring_hand_out(schema: str, *, rehearsal_id: int) -> None:
    """Ring for a rehearsal that was committed."""
    hand_out.ring(schema, rehearsal_id=rehearsal_id)


def ring_settlements() -> None:
    """Ring for every company that has an outcome to settle; what is rung twice is settled once."""
    for schema in deliveries.companies_with_outcomes():
        settle.ring(schema)


def ring_delivery() -> None:
    """Ring for what has just been ordered, once the order is committed."""
    send_due.ring(PUBLIC)
