"""Reminders by mail: to everybody with an address who may decide, each in their own language."""

import logging
from datetime import datetime

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from benefits.approvals import queries
from benefits.approvals.models import Approval
from tenants.db import connection, durable
from tenants.identity import links
from tenants.models import Company

logger = logging.getLogger(__name__)


@durable
def remind(*, approval: Approval, at: datetime) -> int:
    """Write to each who may decide this; returns to how many. An address that is refused is logged, not retried."""
    company: Company = connection.tenant
    path = reverse("company_approval", args=[approval.pk], urlconf=settings.ROOT_URLCONF)
    address = links.absolute(path, company=company)
    written = 0
    for decider in queries.bench(at).deciders(approval):
        if not decider.user.email:
            continue
        with translation.override(decider.user.language or settings.LANGUAGE_CODE):
            message = EmailMessage(
                subject=_("A decision waits for you: %(kind)s") % {"kind": approval.get_kind_display()},
                body=render_to_string(
                    "mail/approval_waiting.txt",
                    {
                        "company": company,
                        "approval": approval,
                        "decider": decider,
                        "address": address,
                        "is_last_day": approval.due_at - queries.LAST_DAY <= at,
                        "due_day": timezone.localtime(approval.due_at),
                    },
                ),
                to=[decider.user.email],
            )
        written += _send(message)
    return written


def _send(message: EmailMessage) -> int:
    try:
        return int(message.send() or 0)
    except OSError:  # smtplib's errors are among them
        logger.warning("a reminder could not be sent", exc_info=True)
        return 0
