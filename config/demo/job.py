"""The main job for one invented company, each step by whoever does it in life. Again, it finds everything done."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid5

from django.db import InterfaceError, OperationalError
from django.utils import timezone
from django_tenants.utils import tenant_context

from benefits.funds import operations as funds
from benefits.funds.models import FundsAccount
from benefits.orders.models import Item, Order
from benefits.people.models import Employee
from benefits.points import operations as points
from benefits.points import queries as wallets
from benefits.points.errors import BudgetNotFound
from benefits.points.models import Grant
from benefits.roster.models import RosterImport
from cms.models import CampaignPage, HomePage
from config.demo import people, rules
from config.demo.people import Invented
from config.demo.visitor import Page, PageError, Unavailable, Visitor
from reports.invoices import operations as invoices
from reports.invoices.models import Invoice
from reports.periods import Month
from tenants import operations as tenants
from tenants.db import connection
from tenants.identity import links
from tenants.identity import operations as identity
from tenants.identity.models import User
from tenants.identity.roles import Role
from tenants.models import Company

T = TypeVar("T")

PATIENCE = 90  # seconds that a worker may take on a loaded machine
BUDGET = "春节福利"
_KEYS = UUID(
    "5f0c1f6e-0d0e-4a5e-9b37-6f1f3f1b7a10"
)  # the demonstration's own, so that a second run repeats its keys

STAFF = {
    "hana": ("韩娜 (HR)", Role.HR),
    "an": ("安正 (审批)", Role.APPROVER),
    "fei": ("费明 (财务)", Role.FINANCE),
    "wen": ("文静 (编辑)", Role.EDITOR),
}


class StepFailed(Exception):
    """A step that did not do what it says; the message says what came out instead."""


@dataclass(frozen=True)
class Wish:
    """What an employee redeems, and how it must end."""

    place: int  # of the employee in the roster
    product: str
    sku: str
    to_own_mobile: bool
    ends: str = Order.Status.DELIVERED


@dataclass
class Job:
    """One company's run: who it is for, where the web server is, what has come out so far."""

    invented: Invented
    port: int
    password: str
    folder: Path
    tell: Callable[[str], None]
    figures: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    def visitor(self) -> Visitor:
        return Visitor(self.invented.domain, self.port)

    def key(self, name: str) -> UUID:
        """The same key for the same step, so that a second run repeats it rather than doing it again."""
        return uuid5(_KEYS, f"{self.invented.schema}:{name}")


def run(job: Job, *, wishes: tuple[Wish, ...], platform: tuple[User, User]) -> None:
    """Do the whole job, step by step; each finds what it has done already, should a part of the mall die meanwhile.

    Raises StepFailed, PageError and whatever the operations raise.
    """
    company = patiently(lambda: open_company(job, actor=platform[0]))
    with tenant_context(company):
        staff = patiently(lambda: {name: _staff(job, name) for name in STAFF})
        patiently(lambda: import_roster(job))
    connection.set_schema_to_public()
    patiently(lambda: deposit(job, company, recorder=platform[0], confirmer=platform[1]))
    with tenant_context(company):
        patiently(lambda: grant(job, hr=staff["hana"]))
        patiently(lambda: plan_the_year(job, hr=staff["hana"]))
        patiently(lambda: publish_campaign(job, editor=staff["wen"]))
        redeem(job, wishes)
    patiently(lambda: close_month(job, company, actor=platform[1]))


def open_company(job: Job, *, actor: User) -> Company:
    """The operator opens the company, unless it is open."""
    one = job.invented
    connection.set_schema_to_public()
    started = time.perf_counter()
    company = Company.objects.filter(schema_name=one.schema).first()
    if company is None:
        company = tenants.open_company(
            schema=one.schema,
            name=one.name,
            short_name=one.short_name,
            domain=one.domain,
            credit_code=one.credit_code,
            points_per_yuan=one.points_per_yuan,
            actor=actor,
            at=timezone.now(),
        ).company
        tenants.change_company(
            company=company,
            address=one.address,
            brand_colour=one.brand_colour,
            actor=actor,
            at=timezone.now(),
        )
        job.tell(f"opened in {time.perf_counter() - started:.1f} s")
    else:
        job.tell("is open already")
    _must(company.is_open, f"the company is {company.status}")
    return company


def import_roster(job: Job) -> None:
    """HR uploads the roster in the console, looks at every row's fate, confirms; a worker does the rest."""
    hr = job.visitor()
    hr.sign_in("hana", job.password)
    source = _keep(job, "roster.xlsx", people.roster(job.invented))
    upload = {"file": (source.name, source.read_bytes())}
    form = hr.get("/company/imports/new/")
    page = hr.post("/company/imports/new/", {"mode": "merge"}, page=form, files=upload)
    pk = int(page.path.strip("/").rsplit("/", 1)[-1])
    found = _import_that_is(pk, RosterImport.Status.PLANNED)
    slip_no, _ = job.invented.slip
    report = _keep(job, "roster-report.xlsx", hr.get(f"{page.path}problems.xlsx").data)
    problems = sum(1 for row in found.rows.filter(employee_no=slip_no) if row.issues)
    _must(problems == 1, f"the roster's one slip was found {problems} times")
    hr.post(f"{page.path}confirm/", {"plan": found.plan_digest}, page=hr.get(page.path))
    result = _import_that_is(pk, RosterImport.Status.APPLIED).result
    employees = Employee.objects.filter(status=Employee.Status.ACTIVE).count()
    job.figures |= {"roster": {"import_id": pk, **result}, "employees": employees}
    job.files["roster_report"] = str(report)
    job.tell(
        f"roster of {job.invented.people} rows: {result['created']} joined, {result['unchanged']} as before,"
        f" {result['failed']} held back; the marked copy is {report}"
    )


def deposit(job: Job, company: Company, *, recorder: User, confirmer: User) -> None:
    """The company's bank transfer: recorded by one of the platform's people, confirmed by another."""
    at = timezone.now()
    made = funds.record_deposit(
        company=company, fen=job.invented.deposit_fen, reference="DEMO-0001", actor=recorder, at=at
    )
    funds.confirm_deposit(deposit=made, actor=confirmer, at=at)
    job.figures["deposit_fen"] = job.invented.deposit_fen
    job.tell(f"deposit of ¥{job.invented.deposit_fen / 100:,.2f} confirmed by a second person")


def grant(job: Job, *, hr: User) -> None:
    """HR loads the festival's budget from the funds and grants the same to everyone."""
    one, at = job.invented, timezone.now()
    try:
        budget = wallets.find_budget(BUDGET)
    except BudgetNotFound:
        budget = points.open_budget(
            name=BUDGET, owner=hr.username, from_date=timezone.localdate(at), actor=hr, at=at
        )
    points.load_budget(budget=budget, fen=one.budget_fen, request_key=job.key("load"), actor=hr, at=at)
    made = Grant.objects.filter(request_key=job.key("grant")).first() or points.grant(
        budget=budget,
        audience=points.Audience(everyone=True),
        fen=one.grant_fen,
        reason=BUDGET,
        expires_at=at + timedelta(days=365),
        request_key=job.key("grant"),
        actor=hr,
        at=at,
    )
    job.figures |= {"budget_fen": one.budget_fen, "granted_fen": made.total_fen, "granted_to": made.employees}
    job.tell(
        f"budget of ¥{one.budget_fen / 100:,.2f} loaded, ¥{one.grant_fen / 100:,.2f} granted to {made.employees}"
    )


def plan_the_year(job: Job, *, hr: User) -> None:
    """HR's rules: what is granted by itself from now on."""
    count = rules.set_rules(budget=wallets.find_budget(BUDGET), hr=hr)
    job.tell(f"{count} rules grant by themselves: birthdays, years of service, the Mid-Autumn Festival")


def publish_campaign(job: Job, *, editor: User) -> None:
    """The content editor puts the festival's page on the portal, unless it is there."""
    home = HomePage.objects.get()
    if CampaignPage.objects.child_of(home).exists():
        return
    gifts = {
        "title": "年货与出行",
        "title_en": "For the feast and the way home",
        "products": ["jd-card", "coffee", "commuter", "mobile-top-up"],
    }
    page = home.add_child(
        instance=CampaignPage(
            title="春节好礼",
            title_en="Spring Festival gifts",
            line="积分已到账，挑一份给自己和家人",
            line_en="Your points are here: pick something for yourself and the family",
            body=[
                {"type": "paragraph", "value": "<p>感谢大家一年的辛苦。积分请在到期前使用，祝新年平安。</p>"},
                {"type": "products", "value": gifts},
            ],
        )
    )
    page.save_revision(user=editor).publish(user=editor)
    job.tell(f"campaign published: {page.title}")


def redeem(job: Job, wishes: tuple[Wish, ...]) -> None:
    """Employees sign in at the portal by their activation links and redeem; each order ends as it must."""
    placed = [(wish, patiently(partial(_redeem, job, place, wish))) for place, wish in enumerate(wishes)]
    told: list[dict[str, Any]] = []
    for wish, number in placed:
        order = _ended(number)
        seconds = ((order.finished_at or order.placed_at) - order.placed_at).total_seconds()
        _must(order.status == wish.ends, f"{order.name_zh} was to be {wish.ends} and is {order.status}")
        told.append(
            {
                "order_no": order.number,
                "sku": order.sku_code,
                "status": order.status,
                "price_fen": order.price_fen,
                "seconds": round(seconds, 1),
            }
        )
        job.tell(f"{order.name_zh} → {order.account_hint or '卡密'}: {order.status} after {seconds:.1f} s")
    job.figures |= {"orders": told, **_totals()}


def close_month(job: Job, company: Company, *, actor: User) -> None:
    """The platform closes the month so far; the company's finance clerk takes the invoice and the statement away."""
    month = Month.of(timezone.now())
    invoices.close_month(company=company, month=month, actor=actor, at=timezone.now())
    clerk = job.visitor()
    clerk.sign_in("fei", job.password)
    issued = list(Invoice.objects.filter(company=company.schema_name).order_by("pk"))
    _must(bool(issued), "no invoice was issued")
    billed_fen = sum(invoice.total_fen for invoice in issued)
    with tenant_context(company):
        delivered_fen = _totals()["delivered_fen"]
    _must(billed_fen == delivered_fen, f"billed {billed_fen} fen of {delivered_fen} delivered")
    last = issued[-1]
    pdf = clerk.get(f"/company/invoices/{last.number}.pdf").data
    _must(pdf.startswith(b"%PDF-"), "the invoice is no PDF")
    workbook = clerk.get(f"/company/statements.xlsx?month={month}").data
    _must(workbook.startswith(b"PK"), "the statement is no workbook")
    job.files["invoice_pdf"] = str(_keep(job, f"{last.number}.pdf", pdf))
    job.files["statement_xlsx"] = str(_keep(job, f"statement-{month}.xlsx", workbook))
    funds_fen = FundsAccount.objects.get(company=company.schema_name).balance_fen
    job.figures |= {"invoices": [i.number for i in issued], "billed_fen": billed_fen, "funds_fen": funds_fen}
    job.tell(
        f"invoice {last.number}: ¥{billed_fen / 100:,.2f} billed, as much as was delivered; {job.files['invoice_pdf']}"
    )


def _staff(job: Job, username: str) -> User:
    name, role = STAFF[username]
    user = User.objects.filter(username=username).first()
    if user is None:
        at = timezone.now()
        user = identity.invite(
            username=username,
            name=name,
            email=f"{username}@{job.invented.schema}.example",
            roles=[role],
            actor=None,
            at=at,
        )
    if not user.check_password(job.password):
        identity.set_password(user=user, password=job.password, actor=user, at=timezone.now())
    return user


def _redeem(job: Job, place: int, wish: Wish) -> str:
    employee = Employee.objects.select_related("user").get(
        employee_no=people.employee_no(job.invented, wish.place)
    )
    visitor = job.visitor()
    _enter(job, visitor, employee)
    page = visitor.get(f"/benefits/{wish.product}/")
    price_fen = _quoted(page, wish.sku)
    placed = visitor.post(
        f"/benefits/{wish.product}/confirm/",
        {
            "choice": f"{wish.sku}:{price_fen}",
            "account": employee.mobile if wish.to_own_mobile else "",
            "request_key": str(job.key(f"order:{place}")),
        },
        page=page,
    )
    parts = placed.path.strip("/").split("/")
    _must(parts[0] == "orders" and len(parts) == 2, f"redeeming {wish.sku} led to {placed.path}")
    return parts[1]


def _enter(job: Job, visitor: Visitor, employee: Employee) -> None:
    """Follow the activation link and choose a password; later, sign in with it."""
    user = employee.user
    assert user is not None
    if user.has_usable_password():
        visitor.sign_in(employee.employee_no, job.password)
        return
    path = links.activation_path(user)
    form = visitor.get(path)
    answer = visitor.post(path, {"new_password1": job.password, "new_password2": job.password}, page=form)
    if "activate" in answer.path:
        raise PageError(f"{employee.employee_no} could not choose a password.")


def _quoted(page: Page, sku: str) -> int:
    """The price that the page shows for a size, in fen."""
    head = f'value="{sku}:'
    _must(head in page.text, f"{page.path} does not offer {sku}")
    return int(page.text.split(head, 1)[1].split('"', 1)[0])


def _totals() -> dict[str, int]:
    items = Item.objects.values_list("status", "price_fen")
    return {
        "delivered_fen": sum(fen for status, fen in items if status == Item.Status.DELIVERED),
        "refunded_fen": sum(fen for status, fen in items if status == Item.Status.REFUNDED),
    }


def _ended(number: str) -> Order:
    def look() -> Order | None:
        return Order.objects.exclude(status=Order.Status.PLACED).filter(number=number).first()

    return _await(look, f"order {number} is still open")


def _import_that_is(pk: int, status: str) -> RosterImport:
    def look() -> RosterImport | None:
        found = RosterImport.objects.get(pk=pk)
        _must(found.status != RosterImport.Status.REJECTED, f"the roster was rejected: {found.reject}")
        return found if found.status == status else None

    return _await(look, f"the roster import is not {status}")


def _await(look: Callable[[], T | None], complaint: str) -> T:
    deadline = time.monotonic() + PATIENCE
    while (found := patiently(look)) is None:
        _must(time.monotonic() < deadline, f"{complaint} after {PATIENCE} s")
        time.sleep(0.1)
    return found


def patiently(do: Callable[[], T]) -> T:
    """Do what may safely be done again, until the parts of the mall that it needs are up."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return do()
        except (Unavailable, OperationalError, InterfaceError):
            if time.monotonic() > deadline:
                raise
            connection.close()
            time.sleep(0.5)


def _keep(job: Job, name: str, data: bytes) -> Path:
    path = job.folder / job.invented.schema / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def _must(holds: bool, complaint: str) -> None:
    if not holds:
        raise StepFailed(complaint)


def now() -> datetime:
    """The demonstration is a door, and reads the clock."""
    return timezone.now()
