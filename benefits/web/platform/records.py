"""The audit trail of the platform: who did what, when and from where."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from benefits.web import events
from benefits.web.platform import look, who
from tenants.identity.models import AuditEvent


@who.auditors
def records(request: HttpRequest) -> HttpResponse:
    """Events, newest first; by actor, action or subject."""
    wanted = {name: look.asked(request, name) for name in ("actor", "action", "subject")}
    rows = AuditEvent.objects.all()
    if wanted["actor"]:
        rows = rows.filter(actor__icontains=wanted["actor"])
    if wanted["action"]:
        rows = rows.filter(action__startswith=wanted["action"])
    if wanted["subject"]:
        rows = rows.filter(subject=wanted["subject"])
    page = look.page_of(request, rows)
    actions = sorted(AuditEvent.objects.order_by().values_list("action", flat=True).distinct())
    context = {
        "section": "audit",
        "page": page,
        "rows": [
            {
                "event": one,
                "action": events.action(one.action),
                "subject": events.subject(one.subject),
                "facts": events.facts(one),
            }
            for one in page
        ],
        "wanted": wanted,
        "subject": events.subject(wanted["subject"]) if wanted["subject"] else "",
        "actions": [(code, events.action(code)) for code in actions],
    }
    return render(request, "platform/audit.html", context)
