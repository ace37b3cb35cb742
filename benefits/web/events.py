"""Audit events as people read them: what was done, to what, and the facts, in the reader's language."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from benefits import money
from tenants.identity.models import AuditEvent
from tenants.identity.roles import LABELS as ROLES

ACTIONS: Mapping[str, Any] = {
    "approval.approved": _("approved a request"),
    "approval.asked": _("asked for a second signature"),
    "approval.done": _("had an approved request carried out"),
    "approval.failed": _("had an approved request that could not be carried out"),
    "approval.lapsed": _("let a request lapse"),
    "approval.refused": _("refused a request"),
    "approval.withdrawn": _("withdrew a request"),
    "attempt.sent_again": _("sent a delivery again"),
    "budget.closed": _("closed a budget"),
    "budget.ended": _("dealt with a budget whose validity was over"),
    "budget.loaded": _("loaded a budget"),
    "budget.moved_in": _("moved points into a budget from another"),
    "budget.moved_out": _("moved points of a budget to another"),
    "budget.opened": _("opened a budget"),
    "budget.revised": _("changed a budget's terms"),
    "budget.unloaded": _("returned a budget's points to the funds"),
    "card_code.revealed": _("looked at card codes"),
    "case.decided": _("decided a case"),
    "company.changed": _("changed a company's facts"),
    "company.opened": _("opened a company"),
    "credit.set": _("set a credit line"),
    "deposit.confirmed": _("confirmed a deposit"),
    "deposit.recorded": _("recorded a deposit"),
    "deposit.rejected": _("rejected a deposit"),
    "deposit.reversal_asked": _("asked to reverse a deposit"),
    "deposit.reversal_refused": _("left a deposit as it was"),
    "deposit.reversed": _("reversed a deposit"),
    "deposit.slip_opened": _("looked at a bank slip"),
    "delegation.ended": _("ended a delegation"),
    "delegation.made": _("named a stand-in"),
    "department.added": _("added a department"),
    "department.deleted": _("deleted a department"),
    "department.merged": _("merged a department into another"),
    "department.moved": _("moved a department"),
    "department.renamed": _("renamed a department"),
    "evidence.exported": _("exported evidence"),
    "employee.added": _("added an employee"),
    "employee.changed": _("changed an employee"),
    "employee.left": _("marked an employee as left"),
    "employee.returned": _("brought an employee back"),
    "employees.exported": _("exported employees"),
    "employees.left": _("marked employees as left"),
    "employees.moved": _("moved employees to a department"),
    "employees.returned": _("brought employees back"),
    "funds.held": _("held part of a company's funds"),
    "funds.released": _("released held funds"),
    "funds.warning_set": _("set below which funds to be warned"),
    "invoice.issued": _("issued an invoice"),
    "credit_note.issued": _("issued a credit note"),
    "limits.set": _("set limits for second signatures"),
    "offer.paused": _("paused an offer"),
    "offer.set": _("set an offer"),
    "order.placed": _("placed an order"),
    "order.cancelled": _("cancelled an order"),
    "points.granted": _("granted points"),
    "points.expired": _("returned expired points to a budget"),
    "points.lapsed": _("let expired points lapse"),
    "points.recalled": _("took back what was unused of a grant"),
    "goodwill.given": _("gave an employee goodwill"),
    "goodwill.recovered": _("took back unspent goodwill"),
    "rehearsal.committed": _("confirmed a rehearsal"),
    "rehearsal.dropped": _("dropped a rehearsal"),
    "rehearsal.failed": _("could not carry out a rehearsal"),
    "rehearsal.handed_out": _("handed out a grant"),
    "rehearsal.made": _("rehearsed a rule"),
    "rehearsal.waiting": _("asked for approval of a rehearsal"),
    "report.exported": _("exported a report"),
    "rule.activated": _("activated a rule"),
    "rule.ended": _("ended a rule"),
    "rule.made": _("made a rule"),
    "rule.paused": _("paused a rule"),
    "rule.revised": _("revised a rule"),
    "roster.applied": _("applied a roster"),
    "roster.checked": _("checked a roster"),
    "roster.checked_again": _("had a roster checked again"),
    "roster.chosen": _("chose how a roster is read"),
    "roster.failed": _("gave up on a roster"),
    "roster.forgotten": _("deleted an old roster file"),
    "roster.repaired": _("corrected cells of a roster"),
    "roster.stop_requested": _("stopped a roster import"),
    "roster.undo_requested": _("asked to undo a roster import"),
    "roster.undone": _("undid a roster import"),
    "employees.grace_ended": _("closed leavers' accounts"),
    "points.returned": _("returned leavers' points to budgets"),
    "roster.cancelled": _("cancelled a roster import"),
    "roster.confirmed": _("confirmed a roster's plan"),
    "roster.received": _("uploaded a roster"),
    "roster.rejected": _("could not use a roster"),
    "supplier.added": _("added a supplier"),
    "supplier.changed": _("changed a supplier"),
    "supplier.offers": _("added offers"),
    "supplier.paused": _("paused a supplier"),
    "user.added": _("added an account"),
    "user.closed": _("closed an account"),
    "user.link_issued": _("made an activation link"),
    "user.opened": _("opened an account again"),
    "user.password": _("set a password"),
    "user.roles": _("changed roles"),
    "user.second_factor_reset": _("reset a second factor"),
    "user.signed_in": _("signed in"),
}

_SUBJECTS: Mapping[str, Any] = {
    "approvals.approval": pgettext_lazy("audit", "request"),
    "approvals.approvallimit": pgettext_lazy("audit", "limits"),
    "approvals.delegation": pgettext_lazy("audit", "delegation"),
    "company": _("company"),
    "leavers": pgettext_lazy("audit", "leavers"),
    "identity.user": _("account"),
    "funds.deposit": pgettext_lazy("audit", "deposit"),
    "funds.fundsaccount": pgettext_lazy("audit", "funds account"),
    "funds.fundshold": pgettext_lazy("audit", "hold on funds"),
    "invoices.invoice": _("invoice"),
    "fulfilment.supplier": pgettext_lazy("audit", "supplier"),
    "fulfilment.offer": _("offer"),
    "fulfilment.case": pgettext_lazy("audit", "case"),
    "fulfilment.attempt": _("attempt"),
    "fulfilment.delivery": pgettext_lazy("audit", "delivery"),
    "points.budget": pgettext_lazy("audit", "budget"),
    "points.grant": pgettext_lazy("audit", "grant"),
    "campaigns.grantrule": pgettext_lazy("audit", "rule"),
    "campaigns.rehearsal": pgettext_lazy("audit", "rehearsal"),
    "orders.order": pgettext_lazy("audit", "order"),
    "orders.item": pgettext_lazy("audit", "order"),
    "roster.rosterimport": _("roster import"),
    "people.employee": pgettext_lazy("audit", "employee"),
    "people.department": pgettext_lazy("audit", "department"),
}

_FACTS: Mapping[str, Any] = {
    "about": pgettext_lazy("audit", "about"),
    "asked_by": pgettext_lazy("audit", "asked by"),
    "decided_by": pgettext_lazy("audit", "decided by"),
    "acting_for": pgettext_lazy("audit", "on behalf of"),
    "stand_in": pgettext_lazy("audit", "stand-in"),
    "since": pgettext_lazy("audit", "since"),
    "fen": _("amount"),
    "total_fen": _("amount"),
    "before_fen": pgettext_lazy("audit", "amount before"),
    "company": _("company"),
    "number": pgettext_lazy("audit", "number"),
    "reference": _("reference"),
    "domain": _("domain"),
    "at_end": pgettext_lazy("audit", "at its end"),
    "budget": pgettext_lazy("audit", "budget"),
    "changed": _("changed fields"),
    "changes": _("changed fields"),
    "path": pgettext_lazy("audit", "department"),
    "before": pgettext_lazy("audit", "before"),
    "after": pgettext_lazy("audit", "after"),
    "full_mobiles": pgettext_lazy("audit", "with full mobile numbers"),
    "kind": pgettext_lazy("audit", "kind of file"),
    "roles": pgettext_lazy("audit", "roles"),
    "adapter": _("adapter"),
    "added": pgettext_lazy("audit", "added"),
    "until": pgettext_lazy("audit", "until"),
    "sku": pgettext_lazy("audit", "SKU"),
    "supplier": pgettext_lazy("audit", "supplier"),
    "employees": pgettext_lazy("audit", "employees"),
    "lots": pgettext_lazy("audit", "lots"),
    "month": pgettext_lazy("audit", "month"),
    "version": pgettext_lazy("audit", "version"),
    "code": pgettext_lazy("audit", "reason"),
    "created": pgettext_lazy("audit", "joined"),
    "updated": pgettext_lazy("audit", "changed"),
    "left": pgettext_lazy("audit", "left"),
    "unchanged": pgettext_lazy("audit", "unchanged"),
    "failed": pgettext_lazy("audit", "held back"),
}


def action(code: str) -> str:
    """What was done; a code that has no words yet is shown as it is."""
    return str(ACTIONS.get(code, code))


def subject(text: str) -> str:
    """`funds.deposit:2` as deposit 2; `company:acme` as company acme."""
    kind, _colon, key = text.partition(":")
    return f"{_SUBJECTS.get(kind, kind)} {key}"


def facts(event: AuditEvent) -> list[tuple[str, str]]:
    """(name, value) of each fact; amounts in yuan."""
    return [(str(_FACTS.get(name, name)), _value(name, value)) for name, value in event.facts.items()]


def _value(name: str, value: Any) -> str:
    if name.endswith("fen") and isinstance(value, int):
        return f"¥{money.yuan_grouped(value)}"
    if isinstance(value, list | dict):
        return "、".join(str(ROLES.get(one, one)) for one in value)
    return str(value)
