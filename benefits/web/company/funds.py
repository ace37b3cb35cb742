"""The company's money at the platform: what is there, what came, what was loaded."""

from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from benefits.funds import queries
from benefits.funds.models import Deposit
from benefits.web.company import shown
from benefits.web.company.budgets import READERS
from tenants.access import allow

PAGE = 30
TONES = {Deposit.Status.RECORDED: "info", Deposit.Status.CONFIRMED: "ok", Deposit.Status.REJECTED: "bad"}


@allow(*READERS)
def funds(request: HttpRequest) -> HttpResponse:
    """Balance, credit line, deposits, and every change of the account."""
    company = shown.company_of(request)
    show = shown.amounts(company)
    account = queries.account_of(company.schema_name)
    page = Paginator(queries.entries_of(company.schema_name), PAGE).get_page(request.GET.get("page"))
    context = {
        "section": "funds",
        "balance": show.yuan(account.balance_fen),
        "credit": show.yuan(account.credit_limit_fen),
        "available": show.yuan(account.balance_fen + account.credit_limit_fen),
        "has_credit": account.credit_limit_fen > 0,
        "deposits": [
            {
                "deposit": deposit,
                "amount": show.yuan(deposit.fen),
                "tone": TONES[Deposit.Status(deposit.status)],
            }
            for deposit in account.deposits.all()[:10]
        ],
        "page": page,
        "rows": [
            {"entry": entry, "amount": show.yuan(abs(entry.fen)), "is_in": entry.fen > 0} for entry in page
        ],
        "seller": settings.SELLER,
    }
    return render(request, "company/funds.html", context)
