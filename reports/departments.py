"""What each department was granted, redeemed and received in a month."""

from collections.abc import Iterable, Sequence

from django.utils.translation import gettext_lazy as _

from benefits.points.queries import GOODWILL_PARTS
from reports.periods import Month
from reports.report import Report
from reports.tables import Column, Kind
from tenants.db import connection
from tenants.models import Company

# A wallet's own movements; deliveries leave the held account, so they are found by their item, and count with what the
# company pays for them.
_ROWS = f"""
WITH moved AS (
    SELECT a.employee_id, p.kind, p.fen FROM points_posting p
        JOIN points_account a ON a.id IN (p.source_id, p.destination_id) AND a.kind = 'wallet'
        WHERE p.kind IN ('grant', 'redeem', 'refund', 'expire', 'lapse', 'recall') AND p.at >= %(since)s AND p.at < %(before)s
    UNION ALL
    SELECT o.employee_id, 'deliver', (CASE WHEN p.kind = 'deliver' THEN 1 ELSE -1 END) * (p.fen - coalesce(g.fen, 0))
        FROM points_posting p LEFT JOIN points_posting original ON original.id = p.reverses_id
        JOIN orders_item i ON i.settlement_id = coalesce(p.reverses_id, p.id) JOIN orders_order o ON o.id = i.order_id
        LEFT JOIN {GOODWILL_PARTS} g ON g.item = 'item:' || i.id
        WHERE (p.kind = 'deliver' OR original.kind = 'deliver') AND p.at >= %(since)s AND p.at < %(before)s)
SELECT coalesce(d.path, ''), count(DISTINCT e.id),
    coalesce(sum(fen) FILTER (WHERE kind = 'grant'), 0)::bigint,
    coalesce(sum(fen) FILTER (WHERE kind = 'redeem'), 0)::bigint,
    coalesce(sum(fen) FILTER (WHERE kind = 'refund'), 0)::bigint,
    coalesce(sum(fen) FILTER (WHERE kind = 'deliver'), 0)::bigint,
    coalesce(sum(fen) FILTER (WHERE kind IN ('expire', 'lapse', 'recall')), 0)::bigint
FROM moved m JOIN people_employee e ON e.id = m.employee_id LEFT JOIN people_department d ON d.id = e.department_id
GROUP BY 1 ORDER BY 1
"""


def rows(company: Company, month: Month) -> Iterable[Sequence[object]]:
    """One row a department in which something moved."""
    with connection.cursor() as cursor:
        cursor.execute(_ROWS, {"since": month.starts_at, "before": month.ends_at})
        yield from cursor.fetchall()


REPORT = Report(
    slug="departments",
    title=_("Usage by department"),
    about=_("What each department was granted, redeemed, got back and received."),
    columns=(
        Column(_("Department"), width=28),
        Column(_("Employees"), Kind.COUNT, 10),
        Column(_("Granted (yuan)"), Kind.FEN, 16, total=True),
        Column(_("Redeemed (yuan)"), Kind.FEN, 16, total=True),
        Column(_("Refunded (yuan)"), Kind.FEN, 16, total=True),
        Column(_("Delivered (yuan)"), Kind.FEN, 16, total=True),
        Column(_("Expired or taken back (yuan)"), Kind.FEN, 20, total=True),
    ),
    rows=rows,
)
