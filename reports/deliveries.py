"""Every item delivered in a month, and every delivery taken back in it."""

from collections.abc import Iterable, Sequence

from django.utils.translation import gettext_lazy as _

from benefits.points.queries import GOODWILL_PARTS
from reports.periods import Month
from reports.report import Report
from reports.tables import Column, Kind
from tenants.db import connection
from tenants.models import Company

_ROWS = f"""
SELECT o.number, i.name_zh, i.sku_code, coalesce(d.path, ''), e.employee_no, o.account_hint, p.at,
       (CASE WHEN p.kind = 'deliver' THEN 1 ELSE -1 END) * (p.fen - coalesce(g.fen, 0)), coalesce(v.number, '')
FROM points_posting p LEFT JOIN points_posting original ON original.id = p.reverses_id
JOIN orders_item i ON i.settlement_id = coalesce(p.reverses_id, p.id)
LEFT JOIN {GOODWILL_PARTS} g ON g.item = 'item:' || i.id
JOIN orders_order o ON o.id = i.order_id JOIN people_employee e ON e.id = o.employee_id
LEFT JOIN people_department d ON d.id = e.department_id
LEFT JOIN public.invoices_billedentry b ON b.company = %(company)s AND b.posting_id = p.id
LEFT JOIN public.invoices_invoice v ON v.id = b.invoice_id
WHERE (p.kind = 'deliver' OR original.kind = 'deliver') AND p.at >= %(since)s AND p.at < %(before)s
ORDER BY p.at, p.id
"""


def rows(company: Company, month: Month) -> Iterable[Sequence[object]]:
    """One row an entry; a delivery taken back is negative."""
    with connection.cursor() as cursor:
        facts = {"company": company.schema_name, "since": month.starts_at, "before": month.ends_at}
        cursor.execute(_ROWS, facts)
        yield from cursor.fetchall()


REPORT = Report(
    slug="deliveries",
    title=_("Delivered items"),
    about=_("Every item that was delivered, with its order, employee, department and invoice."),
    columns=(
        Column(_("Order number"), width=24),
        Column(_("Product"), width=28),
        Column(_("SKU"), width=20),
        Column(_("Department"), width=24),
        Column(_("Employee number"), width=14),
        Column(_("Account (masked)"), width=18),
        Column(_("Delivered at"), Kind.TIME, 20),
        Column(_("Amount (yuan)"), Kind.FEN, 14, total=True),
        Column(_("Billed on"), width=16),
    ),
    rows=rows,
)
