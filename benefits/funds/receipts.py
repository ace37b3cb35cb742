"""Receipts (收款收据) for confirmed deposits: numbered without gaps a year, and the same for ever once written."""

from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.utils import timezone

from benefits import money
from benefits.funds.models import Deposit, Receipt, ReceiptSeries
from tenants.db import connection, transaction_required
from tenants.models import Company


@dataclass(frozen=True)
class Printed:
    """Everything a receipt shows, as it was on the day."""

    number: str
    issued_on: date
    seller: str
    seller_code: str
    seller_bank: str
    seller_account: str
    company: str
    company_code: str
    payer: str
    reference: str
    value_date: date | None
    fen: int
    capitals: str

    def as_json(self) -> dict[str, Any]:
        """What is kept."""
        return {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in asdict(self).items()
        }

    @classmethod
    def of_json(cls, kept: dict[str, Any]) -> "Printed":
        """What was kept."""
        facts = {one.name: kept[one.name] for one in fields(cls)}
        for name in ("issued_on", "value_date"):
            facts[name] = date.fromisoformat(facts[name]) if facts[name] else None
        return cls(**facts)


@transaction_required
def issue(*, deposit: Deposit, at: datetime) -> Receipt:
    """Write the receipt of a deposit that is being confirmed: its number is used if, and only if, this commits."""
    series = _next_number(year=timezone.localtime(at).year)
    number = f"{Receipt.PREFIX}{series.year}-{series.last_number:06d}"
    company = Company.objects.get(schema_name=deposit.account.company)
    seller = settings.SELLER
    printed = Printed(
        number=number,
        issued_on=timezone.localdate(at),
        seller=seller["name"],
        seller_code=seller["credit_code"],
        seller_bank=seller["bank_name"],
        seller_account=seller["bank_account"],
        company=company.name,
        company_code=company.credit_code,
        payer=deposit.payer or company.name,
        reference=deposit.reference,
        value_date=deposit.value_date,
        fen=deposit.fen,
        capitals=money.capitals(deposit.fen),
    )
    return Receipt.objects.create(
        deposit=deposit,
        series=series,
        serial=series.last_number,
        number=number,
        company=company.schema_name,
        fen=deposit.fen,
        snapshot=printed.as_json(),
        issued_at=at,
    )


def _next_number(*, year: int) -> ReceiptSeries:
    """The next number of a year: one statement that locks its row until the receipt has committed, or neither has."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO public.funds_receiptseries AS series (year, last_number) VALUES (%s, 1)
               ON CONFLICT (year) DO UPDATE SET last_number = series.last_number + 1
               RETURNING id, last_number""",
            [year],
        )
        pk, last_number = cursor.fetchone()
    return ReceiptSeries(pk=pk, year=year, last_number=last_number)
