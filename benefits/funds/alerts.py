"""Low funds: a company is told once when less may be loaded than it said, and again only after it had more.

A crossing is claimed and committed before the mail is sent, and recorded after; a claim whose mail never left is claimed
again some minutes later.
"""

from datetime import datetime, timedelta

from django.core.mail import EmailMessage
from django.db.models import Q
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from benefits import money
from benefits.funds.errors import InvalidAmount
from benefits.funds.models import FundsAccount
from benefits.funds.operations import MOST_FEN
from tenants import audit
from tenants.db import connection, durable, transaction
from tenants.identity import links
from tenants.identity.models import User
from tenants.identity.roles import Role
from tenants.models import Company

AGAIN = timedelta(minutes=10)
_RESET = """
UPDATE public.funds_fundsaccount SET warned_at = NULL, warning_mailed_at = NULL WHERE id IN (
    SELECT id FROM public.funds_fundsaccount WHERE warned_at IS NOT NULL
        AND (warn_below_fen IS NULL OR balance_fen + credit_limit_fen - held_fen >= warn_below_fen)
    ORDER BY id FOR UPDATE SKIP LOCKED)
"""
_CLAIM = """
UPDATE public.funds_fundsaccount SET warned_at = %(at)s WHERE id IN (
    SELECT id FROM public.funds_fundsaccount WHERE warning_mailed_at IS NULL
        AND balance_fen + credit_limit_fen - held_fen < warn_below_fen AND (warned_at IS NULL OR warned_at < %(before)s)
    ORDER BY id FOR UPDATE SKIP LOCKED)
RETURNING company
"""


@transaction
def set_warning(*, company: Company, fen: int | None, actor: User | None, at: datetime) -> FundsAccount:
    """Set below which amount the company is warned; none ends the warnings. Raises InvalidAmount."""
    if fen is not None and not 0 < fen <= MOST_FEN:
        raise InvalidAmount(value=fen)
    account = FundsAccount.objects.select_for_update().get(company=company.schema_name)
    before = account.warn_below_fen
    if before == fen:
        return account
    account.warn_below_fen, account.warned_at, account.warning_mailed_at = fen, None, None
    account.save(update_fields=["warn_below_fen", "warned_at", "warning_mailed_at"])
    audit.record("funds.warning_set", account, actor=actor, at=at, before_fen=before, fen=fen)
    return account


@transaction
def notice(*, at: datetime) -> list[str]:
    """Claim the companies whose funds have fallen below their mark and who were not told; returns their schemas."""
    with connection.cursor() as cursor:
        cursor.execute(_RESET)
        cursor.execute(_CLAIM, {"at": at, "before": at - AGAIN})
        return sorted(row[0] for row in cursor.fetchall())


@durable
def mail(*, at: datetime) -> int:
    """Tell the current company's finance clerks and administrators that its funds are low; returns how many mails."""
    company = Company.objects.get(schema_name=connection.schema_name)
    account = FundsAccount.objects.get(company=company.schema_name)
    if account.warned_at is None or account.warning_mailed_at is not None:
        return 0
    sent = sum(_tell(reader, account=account, company=company) for reader in _readers())
    FundsAccount.objects.filter(pk=account.pk, warned_at=account.warned_at).update(warning_mailed_at=at)
    return sent


def _readers() -> list[User]:
    roles = [str(Role.FINANCE), str(Role.ADMIN)]
    return list(User.objects.filter(Q(groups__name__in=roles), is_active=True).distinct().order_by("pk"))


def _tell(reader: User, *, account: FundsAccount, company: Company) -> int:
    address = reader.email or (reader.username if "@" in reader.username else "")
    if not address:
        return 0
    with translation.override(reader.language or company.language):
        facts = {
            "name": str(reader),
            "company": company.display_name,
            "available": f"¥{money.yuan_grouped(account.available_fen)}",
            "mark": f"¥{money.yuan_grouped(account.warn_below_fen or 0)}",
            "link": links.absolute("/company/funds/", company=company),
        }
        message = EmailMessage(
            subject=_("The funds of %(company)s are low") % facts,
            body=render_to_string("mail/funds_low.txt", facts),
            to=[address],
        )
        return int(message.send())
