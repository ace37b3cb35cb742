"""The grants of a month."""

from collections.abc import Iterable, Sequence

from django.utils.translation import gettext_lazy as _

from benefits.points import queries
from reports.periods import Month
from reports.report import Report
from reports.tables import Column, Kind
from tenants.models import Company


def rows(company: Company, month: Month) -> Iterable[Sequence[object]]:
    """One row a grant, the oldest first."""
    return (
        queries.grants()
        .filter(at__gte=month.starts_at, at__lt=month.ends_at)
        .order_by("at", "pk")
        .values_list("at", "budget__name", "reason", "employees", "total_fen", "expires_at", "granted_by")
    )


REPORT = Report(
    slug="grants",
    title=_("Grants of the month"),
    about=_("Every grant with its budget, reason, people and expiry."),
    columns=(
        Column(_("Granted at"), Kind.TIME, 20),
        Column(_("From the budget"), width=24),
        Column(_("Granted for"), width=28),
        Column(_("Employees"), Kind.COUNT, 10, total=True),
        Column(_("Amount (yuan)"), Kind.FEN, 16, total=True),
        Column(_("Expires at"), Kind.TIME, 20),
        Column(_("Granted by"), width=18),
    ),
    rows=rows,
)
