"""What each employee received in a month: benefits that can be attributed to a person are income."""

from collections.abc import Iterable, Sequence

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from benefits.points.queries import GOODWILL_PARTS
from reports.periods import Month
from reports.report import Report
from reports.tables import Column, Kind
from tenants.db import connection
from tenants.models import Company

_ROWS = f"""
SELECT e.employee_no, e.name, coalesce(d.path, ''), count(*) FILTER (WHERE p.kind = 'deliver'),
       sum((CASE WHEN p.kind = 'deliver' THEN 1 ELSE -1 END) * (p.fen - coalesce(g.fen, 0)))::bigint
FROM points_posting p LEFT JOIN points_posting original ON original.id = p.reverses_id
JOIN orders_item i ON i.settlement_id = coalesce(p.reverses_id, p.id)
LEFT JOIN {GOODWILL_PARTS} g ON g.item = 'item:' || i.id
JOIN orders_order o ON o.id = i.order_id JOIN people_employee e ON e.id = o.employee_id
LEFT JOIN people_department d ON d.id = e.department_id
WHERE (p.kind = 'deliver' OR original.kind = 'deliver') AND p.at >= %(since)s AND p.at < %(before)s
GROUP BY e.id, d.path ORDER BY e.employee_no
"""


def rows(company: Company, month: Month) -> Iterable[Sequence[object]]:
    """One row an employee who received something."""
    with connection.cursor() as cursor:
        cursor.execute(_ROWS, {"since": month.starts_at, "before": month.ends_at})
        yield from cursor.fetchall()


REPORT = Report(
    slug="employees",
    title=_("Value per employee"),
    about=_(
        "What each employee received, for income tax. Whether and how it is taxed is for an adviser to say."
    ),
    columns=(
        Column(_("Employee number"), width=16),
        Column(pgettext_lazy("person", "Name"), width=16),
        Column(_("Department"), width=28),
        Column(_("Number of items"), Kind.COUNT, 10, total=True),
        Column(_("Amount (yuan)"), Kind.FEN, 16, total=True),
    ),
    rows=rows,
)
