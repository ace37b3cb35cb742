"""A company that funds, grants and has items delivered, written through the ledger as orders do."""

from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from uuid import uuid4

from django_tenants.utils import tenant_context

from benefits.funds import operations as funds
from benefits.orders.models import Item, Order
from benefits.people.models import Department, Employee
from benefits.points import ledger
from benefits.points import operations as points
from benefits.points.models import Account, Budget, Lot, LotEntry, Posting
from reports.tables import CHINA
from tenants.db import transaction
from tenants.models import Company

CREDIT_CODE = "91440300708461136T"
SKUS = {
    "cmcc-50": ("中国移动话费 50 元", "telecom", 5000),
    "video-month": ("腾讯视频 VIP 月卡", "information", 3333),
    "ecard-100": ("京东 E 卡 100 元", "goods", 10000),
}


def china(text: str) -> datetime:
    """'2026-01-31 23:59' in China's time."""
    return datetime.fromisoformat(text).replace(tzinfo=CHINA)


@dataclass
class Books:
    """One company's books and the shortest way to have something happen in them."""

    company: Company
    employee: Employee
    budget: Budget
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    def grant(self, fen: int, *, at: datetime) -> None:
        with tenant_context(self.company):
            audience = points.Audience(amounts=((self.employee.employee_no, fen),))
            points.grant(
                budget=self.budget, audience=audience, fen=0, reason="节日", expires_at=None, request_key=uuid4(), actor=None, at=at
            )  # fmt: skip

    def order(self, *skus: str, at: datetime, name: str = "") -> list[Item]:
        """Redeem: the wallet is debited, the items are in process."""
        with tenant_context(self.company), transaction():
            number = f"R{next(self.numbers):08d}"
            prices = [SKUS[sku][2] for sku in skus]
            shares = [ledger.Share(f"{number}:{position}", fen) for position, fen in enumerate(prices, 1)]
            debit = self._hold(shares, reference=f"order:{number}", at=at)
            order = Order.objects.create(
                number=number, employee=self.employee, request_key=uuid4(), request_digest="x", sku_code=skus[0],
                product_slug="x", name_zh=name or SKUS[skus[0]][0], name_en="x", price_fen=sum(prices), account_hint="138****8000",
                debit=debit, placed_at=at,
            )  # fmt: skip
            return [
                Item.objects.create(
                    order=order, position=position, sku_code=sku, kind="top_up", name_zh=name or SKUS[sku][0], name_en="x",
                    tax_category=SKUS[sku][1], face_fen=SKUS[sku][2], price_fen=SKUS[sku][2],
                )
                for position, sku in enumerate(skus, 1)
            ]  # fmt: skip

    def _hold(self, shares: list[ledger.Share], *, reference: str, at: datetime) -> Posting:
        """Debit the wallet; every share is taken from one lot that covers it."""
        debit = ledger.post(
            kind=Posting.Kind.REDEEM, source=self.employee.wallet, destination=ledger.company_account(Account.Kind.HELD),
            fen=sum(share.fen for share in shares), reference=reference, at=at,
        )  # fmt: skip
        for share in shares:
            lot = Lot.objects.filter(wallet=self.employee.wallet, remaining_fen__gte=share.fen).first()
            LotEntry.objects.create(lot=lot, posting=debit, fen=-share.fen, item=share.item)
        return debit

    def settle(self, item: Item, *, delivered: bool, at: datetime) -> Posting:
        """Close an item: delivered, or refunded."""
        share = ledger.Share(f"{item.order.number}:{item.position}", item.price_fen)
        with tenant_context(self.company), transaction():
            posting = (
                ledger.capture(share=share, reference=f"item:{item.pk}", at=at)
                if delivered
                else ledger.refund(
                    wallet=self.employee.wallet, share=share, reference=f"item:{item.pk}", at=at
                )
            )
            Item.objects.filter(pk=item.pk).update(
                status="delivered" if delivered else "refunded", settlement=posting, settled_at=at
            )
        return posting

    def deliver(self, *skus: str, at: datetime, name: str = "") -> list[Posting]:
        """Order and deliver at one instant."""
        return [self.settle(item, delivered=True, at=at) for item in self.order(*skus, at=at, name=name)]

    def reverse(self, posting: Posting, *, at: datetime) -> Posting:
        """The supplier took a delivery back: the posting is undone."""
        with tenant_context(self.company), transaction():
            return ledger.reverse(posting=posting, at=at)


def books_of(company: Company, *, yuan: int = 10_000) -> Books:
    """Fund a company, load a budget and grant half of it to one employee, in December 2025."""
    at = china("2025-12-01 10:00")
    Company.objects.filter(pk=company.pk).update(credit_code=CREDIT_CODE)
    company.refresh_from_db()
    with tenant_context(company):
        deposit = funds.record_deposit(company=company, fen=yuan * 100, reference="T1", actor=None, at=at)
        funds.confirm_deposit(deposit=deposit, actor=None, at=at)
        employee = Employee.objects.create(
            employee_no="A001", name="王芳", department=Department.objects.create(path="技术中心/后端组"), created_at=at, updated_at=at
        )  # fmt: skip
        with transaction():
            points.open_wallets(employees=[employee])
        budget = points.open_budget(name="年度福利", owner="hr", from_date=at.date(), actor=None, at=at)
        points.load_budget(budget=budget, fen=yuan * 80, request_key=uuid4(), actor=None, at=at)
        books = Books(company=company, employee=Employee.objects.get(pk=employee.pk), budget=budget)
    books.grant(yuan * 50, at=at)
    return books
