"""Telling people in time that their points expire: rows that are made once, and an e-mail for each where there is one.

A reminder is of one person and one day of expiry, 30, 7 and 1 day before. After an outage only the nearest is made:
whoever hears "in 7 days" need not hear "in 30 days" as well.
"""

import logging
from datetime import datetime, timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import Q, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from benefits.people.models import Employee
from benefits.points import days
from benefits.points.models import Reminder
from tenants.db import connection, durable, transaction
from tenants.identity import links
from tenants.models import Company

logger = logging.getLogger(__name__)

DAYS = (30, 7, 1)

# What is left of lots by person and last valid day, with the nearest mark that the day is within.
_MAKE = """
INSERT INTO points_reminder (employee_id, expires_on, days, fen, at)
SELECT employee_id, expires_on, (SELECT min(d) FROM unnest(%(days)s) AS d WHERE d >= expires_on - %(today)s), fen, %(at)s
FROM (
    SELECT a.employee_id, ((l.expires_at - interval '1 microsecond') AT TIME ZONE %(zone)s)::date AS expires_on,
        sum(l.remaining_fen) AS fen
    FROM points_lot l JOIN points_account a ON a.id = l.wallet_id JOIN people_employee e ON e.id = a.employee_id
    WHERE l.remaining_fen > 0 AND l.expires_at > %(at)s AND l.expires_at <= %(until)s
        AND (e.status = 'active' OR e.grace_until IS NOT NULL)
    GROUP BY 1, 2
) ending ORDER BY employee_id, expires_on
ON CONFLICT (employee_id, expires_on, days) DO NOTHING
"""


@transaction
def remind(*, at: datetime) -> int:
    """Make the reminders that are due, each once; returns how many are new. Sends nothing."""
    with connection.cursor() as cursor:
        cursor.execute(
            _MAKE,
            {
                "days": list(DAYS),
                "today": timezone.localdate(at),
                "zone": timezone.get_current_timezone_name(),
                "at": at,
                "until": days.end_of(timezone.localdate(at) + timedelta(days=max(DAYS))),
            },
        )
        return int(cursor.rowcount)


@durable
def mail_due(*, at: datetime, limit: int = 500) -> int:
    """Send the reminders that nobody was sent and that are still worth it; returns how many were sent.

    Each is marked first and sent then: a process that dies between the two leaves one person without an e-mail (the
    portal tells them all the same), and nobody gets two. A mail server that refuses is tried again by the next run.
    """
    company = Company.objects.get(schema_name=connection.schema_name)
    sent = 0
    for pk in list(_unsent(at).values_list("pk", flat=True)[:limit]):
        if not _mark(pk, at=at):
            continue
        reminder = Reminder.objects.select_related("employee__user").get(pk=pk)
        try:
            _message(reminder, company=company).send()
        except (SMTPException, OSError):
            logger.exception("reminder %s could not be sent; it is tried again", pk)
            _unmark(pk)
            break
        sent += 1
    return sent


def _unsent(at: datetime) -> QuerySet[Reminder]:
    today = timezone.localdate(at)
    reachable = ~Q(employee__email="") & (
        Q(employee__status=Employee.Status.ACTIVE) | Q(employee__grace_until__isnull=False)
    )
    return Reminder.objects.filter(reachable, mailed_at__isnull=True, expires_on__gte=today).order_by("pk")


@transaction
def _mark(pk: int, *, at: datetime) -> bool:
    return bool(Reminder.objects.filter(pk=pk, mailed_at__isnull=True).update(mailed_at=at))


@transaction
def _unmark(pk: int) -> None:
    Reminder.objects.filter(pk=pk).update(mailed_at=None)


def _message(reminder: Reminder, *, company: Company) -> EmailMessage:
    """In the reader's language: their own amount and its last day, with a link that tells others nothing."""
    employee = reminder.employee
    with translation.override((employee.user.language if employee.user else "") or company.language):
        facts = {
            "company": company,
            "name": employee.name,
            "fen": reminder.fen,
            "last_day": reminder.expires_on,
            "address": links.absolute(
                reverse("portal:wallet", urlconf=settings.ROOT_URLCONF), company=company
            ),
        }
        return EmailMessage(
            subject=_("%(company)s: %(unit)s to spend until %(day)s")
            % {
                "company": company.display_name,
                "unit": company.points_name or _("points"),
                "day": date_format(reminder.expires_on),
            },
            body=render_to_string("mail/expiring.txt", facts),
            to=[employee.email],
        )
