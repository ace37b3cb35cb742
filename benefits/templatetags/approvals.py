"""What the frame of the console says of second signatures: `{% load approvals %}{% approvals_waiting as count %}`."""

from django import template
from django.template import Context
from django.utils import timezone

from benefits.approvals import queries
from tenants.identity.models import User

register = template.Library()


@register.simple_tag(takes_context=True)
def approvals_waiting(context: Context) -> int:
    """How many requests wait for the reader."""
    user = getattr(context.get("request"), "user", None)
    return queries.count_waiting_for(user, timezone.now()) if isinstance(user, User) else 0
