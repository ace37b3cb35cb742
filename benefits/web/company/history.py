"""What was changed of one employee: by imports and by hand, field by field, the latest first."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from benefits.people.models import Employee
from benefits.web.company import rows
from tenants.identity.models import AuditEvent, User

LATEST = 50
_ACTIONS = {
    "employee.added": (gettext_lazy("new"), "ok", "plus"),
    "employee.changed": (gettext_lazy("changed"), "info", "pencil"),
    "employee.left": (gettext_lazy("leaving"), "warn", "log-out"),
    "employee.returned": (gettext_lazy("coming back"), "ok", "undo-2"),
}


def changes_of(employee: Employee) -> list[dict[str, Any]]:
    """Each change with when, by whom, and its fields from what to what; those of an import name it."""
    found = [*_by_hand(employee), *rows.changes_of(employee)]
    found.sort(key=lambda change: _moment(change["at"]), reverse=True)
    return found[:LATEST]


def _moment(at: datetime | None) -> float:
    return at.timestamp() if at else 0.0


def _by_hand(employee: Employee) -> list[dict[str, Any]]:
    events = list(
        AuditEvent.objects.filter(subject=f"people.employee:{employee.pk}", action__in=_ACTIONS)[:LATEST]
    )
    names = User.objects.in_bulk([event.actor_id for event in events if event.actor_id])
    return [
        {
            "at": event.at,
            "by": str(names.get(event.actor_id) or event.actor) if event.actor_id else _("the system"),
            "import": None,
            "label": _ACTIONS[event.action][0],
            "tone": _ACTIONS[event.action][1],
            "icon": _ACTIONS[event.action][2],
            "fields": [
                {"label": rows.heading(field), "before": before, "after": after}
                for field, (before, after) in event.facts.get("changes", {}).items()
            ],
        }
        for event in events
    ]
