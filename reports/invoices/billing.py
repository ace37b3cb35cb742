"""What is to be billed: the ledger entries of a company that no invoice has billed yet, as lines.

Reads alone. The entries are deliveries, and reversals of deliveries; a reversal whose delivery was billed earlier
makes a credit note of that invoice, any other is netted in the same invoice.

What was delivered for points that the platform gave is the platform's loss: each entry is billed less that part, and
one that was paid so altogether is not billed at all.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from django_tenants.utils import tenant_context

from benefits.catalogue.models import TaxRate
from benefits.points.queries import GOODWILL_PARTS
from reports.invoices import document
from reports.invoices.errors import TaxRateMissing
from reports.invoices.models import BilledEntry, Invoice
from reports.tables import CHINA
from tenants.db import connection, savepoint
from tenants.models import Company

# Documents are Chinese whoever makes them, so these are not translated.
TAX_CATEGORIES = {
    "telecom": "基础电信服务",
    "telecom_data": "移动数据服务",
    "information": "信息技术服务",
    "goods": "货物",
}

_UNBILLED = f"""
SELECT p.id, i.id, CASE WHEN p.kind = 'deliver' THEN p.fen - coalesce(g.fen, 0) ELSE coalesce(g.fen, 0) - p.fen END,
       coalesce(original.at, p.at), p.reverses_id, i.sku_code, i.name_zh, i.tax_category,
       CASE WHEN p.kind = 'deliver' THEN p.fen ELSE -p.fen END
FROM points_posting p
LEFT JOIN points_posting original ON original.id = p.reverses_id
JOIN orders_item i ON i.settlement_id = coalesce(p.reverses_id, p.id)
LEFT JOIN {GOODWILL_PARTS} g ON g.item = 'item:' || i.id
WHERE (p.kind = 'deliver' OR (p.kind = 'reverse' AND original.kind = 'deliver')) AND p.at < %(before)s
  AND NOT EXISTS (SELECT 1 FROM public.invoices_billedentry b WHERE b.company = %(company)s AND b.posting_id = p.id)
ORDER BY p.id
"""
# The same sum before goodwill, asked of the accounts rather than of the items: what reached and left `delivered`.
_LEDGER = """
SELECT coalesce(sum(CASE WHEN d.kind = 'delivered' THEN p.fen ELSE -p.fen END), 0)
FROM points_posting p JOIN points_account s ON s.id = p.source_id JOIN points_account d ON d.id = p.destination_id
WHERE 'delivered' IN (s.kind, d.kind) AND p.at < %(before)s
  AND NOT EXISTS (SELECT 1 FROM public.invoices_billedentry b WHERE b.company = %(company)s AND b.posting_id = p.id)
"""


@dataclass(frozen=True)
class Entry:
    """One ledger entry of a delivered item, less what goodwill paid of it; `fen` is negative for a reversal."""

    posting_id: int
    item_id: int
    fen: int
    delivered_at: datetime
    reverses: int | None
    sku_code: str
    product: str
    tax_category: str
    rate_bp: int


@dataclass(frozen=True)
class Line:
    """A line of an invoice with the SKU that it is about."""

    sku_code: str
    printed: document.Line


@dataclass(frozen=True)
class Bill:
    """Entries that go onto one document; `corrects` is the invoice that a credit note is about."""

    corrects: Invoice | None
    lines: tuple[Line, ...]
    entries: tuple[Entry, ...]

    @property
    def total_fen(self) -> int:
        return sum(line.printed.gross_fen for line in self.lines)

    @property
    def net_fen(self) -> int:
        return sum(line.printed.net_fen for line in self.lines)

    @property
    def tax_fen(self) -> int:
        return sum(line.printed.tax_fen for line in self.lines)


def bills(*, company: Company, before: datetime) -> list[Bill]:
    """What would be issued for everything up to `before`: at most one invoice, and a credit note a corrected invoice.

    Raises TaxRateMissing; crashes when the entries are not exactly what the ledger says.
    """
    groups: dict[Invoice | None, list[Entry]] = defaultdict(list)
    for entry, corrects in _unbilled(company, before):
        groups[corrects].append(entry)
    made = [
        Bill(corrects=corrects, lines=lines, entries=tuple(group))
        for corrects, group in sorted(groups.items(), key=lambda pair: pair[0].pk if pair[0] else 0)
        if (lines := tuple(_lines(group)))
    ]
    for bill in made:
        if (bill.total_fen > 0) == (bill.corrects is not None):
            raise RuntimeError(f"{company.schema_name}: {bill.total_fen} fen cannot be billed")
        if bill.total_fen != sum(entry.fen for entry in bill.entries):
            raise RuntimeError(f"{company.schema_name}: lines and entries differ")
    return made


def _unbilled(company: Company, before: datetime) -> Iterator[tuple[Entry, Invoice | None]]:
    """The entries, each with the invoice that billed what it reverses. A credit has the rate of what it credits."""
    facts = {"company": company.schema_name, "before": before}
    with tenant_context(company), savepoint(), connection.cursor() as cursor:
        # Statistics from before a busy hour have these joined row by row: minutes for thirty thousand items.
        cursor.execute("SET LOCAL enable_nestloop = off")
        cursor.execute(_UNBILLED, facts)
        rows = cursor.fetchall()
        cursor.execute(_LEDGER, facts)
        (ledger_fen,) = cursor.fetchone()
        cursor.execute("SET LOCAL enable_nestloop = on")
    item_fen = sum(row[8] for row in rows)
    if ledger_fen != item_fen:
        raise RuntimeError(f"{company.schema_name}: {ledger_fen} fen in the ledger, {item_fen} in its items")
    rows = [row[:8] for row in rows if row[2]]
    reversed_postings = [row[4] for row in rows if row[4]]
    billed = {
        entry.posting_id: entry
        for entry in BilledEntry.objects.filter(
            company=company.schema_name, posting_id__in=reversed_postings
        ).select_related("invoice")
    }
    rates = _Rates()
    for row in rows:
        earlier = billed.get(row[4])
        rate_bp = earlier.rate_bp if earlier else rates.on(row[7], row[3].astimezone(CHINA).date())
        names = (
            "posting_id",
            "item_id",
            "fen",
            "delivered_at",
            "reverses",
            "sku_code",
            "product",
            "tax_category",
        )
        entry = Entry(**dict(zip(names, row, strict=True)), rate_bp=rate_bp)
        yield entry, earlier.invoice if earlier else None


def _lines(entries: Iterable[Entry]) -> list[Line]:
    """Entries of one SKU, name, rate and price together; what was delivered and reversed alike leaves no line."""
    counts: dict[tuple[str, str, str, int, int], int] = defaultdict(int)
    for entry in entries:
        key = (entry.sku_code, entry.product, entry.tax_category, entry.rate_bp, abs(entry.fen))
        counts[key] += 1 if entry.fen > 0 else -1
    return [
        Line(
            sku_code=sku_code,
            printed=document.line(
                product=product,
                tax_category=TAX_CATEGORIES.get(category, category),
                quantity=quantity,
                unit_fen=unit_fen,
                rate_bp=rate_bp,
            ),
        )
        for (sku_code, product, category, rate_bp, unit_fen), quantity in sorted(counts.items())
        if quantity
    ]


class _Rates:
    """The table of tax rates, read once."""

    def __init__(self) -> None:
        self._rates: dict[str, list[tuple[date, int]]] = defaultdict(list)
        for category, from_date, rate_bp in TaxRate.objects.order_by("from_date").values_list(
            "category", "from_date", "rate_bp"
        ):
            self._rates[category].append((from_date, rate_bp))

    def on(self, category: str, day: date) -> int:
        """The rate in force on a day. Raises TaxRateMissing."""
        in_force = [rate_bp for from_date, rate_bp in self._rates[category] if from_date <= day]
        if not in_force:
            raise TaxRateMissing(category=category, day=day.isoformat())
        return in_force[-1]
