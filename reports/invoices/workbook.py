"""The workbook beside an invoice: its lines, and every item that they are made of."""

from collections.abc import Iterator

from django_tenants.utils import tenant_context

from reports.invoices.document import Document
from reports.invoices.models import Invoice
from reports.tables import Column, Kind, Table
from reports.writers import xlsx
from tenants.db import connection
from tenants.models import Company

# Documents are Chinese whoever makes them, so the headings are not translated.
LINES = (
    Column("序号", Kind.COUNT, 6),
    Column("商品", width=30),
    Column("税收类别", width=16),
    Column("数量", Kind.COUNT, 10, total=True),
    Column("含税单价（元）", Kind.FEN, 14),
    Column("税率", Kind.RATE, 8),
    Column("不含税金额（元）", Kind.FEN, 16, total=True),
    Column("税额（元）", Kind.FEN, 14, total=True),
    Column("价税合计（元）", Kind.FEN, 16, total=True),
)
ITEMS = (
    Column("订单号", width=24),
    Column("项次", Kind.COUNT, 6),
    Column("规格编码", width=20),
    Column("商品", width=30),
    Column("部门", width=24),
    Column("工号", width=14),
    Column("充值账号（已脱敏）", width=20),
    Column("类型", width=8),
    Column("入账时间", Kind.TIME, 20),
    Column("金额（元）", Kind.FEN, 14, total=True),
    Column("金额（分）", Kind.COUNT, 14, total=True),
)

_ITEMS = """
SELECT o.number, i.position, i.sku_code, i.name_zh, coalesce(d.path, ''), e.employee_no, o.account_hint,
       CASE WHEN b.fen > 0 THEN '交付' ELSE '冲回' END, p.at, b.fen, b.fen
FROM public.invoices_billedentry b
JOIN points_posting p ON p.id = b.posting_id
JOIN orders_item i ON i.id = b.item_id
JOIN orders_order o ON o.id = i.order_id
JOIN people_employee e ON e.id = o.employee_id
LEFT JOIN people_department d ON d.id = e.department_id
WHERE b.invoice_id = %s ORDER BY p.at, p.id
"""


def write(*, invoice: Invoice, company: Company) -> bytes:
    """Two sheets whose sums are the invoice's total. Phone numbers and accounts stay masked."""
    document = Document.from_json(invoice.snapshot)
    facts = (
        ("编号", document.number),
        ("企业", document.buyer.name),
        ("统一社会信用代码", document.buyer.credit_code),
        ("账期", document.month),
        ("说明", "本工作簿为结算单明细，非税务发票"),
    )
    with tenant_context(company):
        return xlsx.write(
            Table(title="汇总", columns=LINES, rows=_lines(document), facts=facts, total_label="合计"),
            Table(title="明细", columns=ITEMS, rows=_items(invoice), facts=facts, total_label="合计"),
        )


def _lines(document: Document) -> Iterator[tuple[object, ...]]:
    for position, line in enumerate(document.lines, start=1):
        yield (
            position,
            line.product,
            line.tax_category,
            line.quantity,
            line.unit_fen,
            line.rate_bp,
            line.net_fen,
            line.tax_fen,
            line.gross_fen,
        )


def _items(invoice: Invoice) -> Iterator[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(_ITEMS, [invoice.pk])
        yield from cursor.fetchall()
