"""Rules that grant points by themselves: list, write, look at one, put it to work."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from benefits.campaigns import operations, queries
from benefits.campaigns.definition import Definition
from benefits.campaigns.models import GrantRule
from benefits.web.company import rule_words, shown
from benefits.web.company.budgets import READERS, may_change
from benefits.web.company.rule_forms import DayForm, RuleForm, initial_of
from benefits.web.company.shown import Amounts
from tenants.access import allow
from tenants.errors import DomainError
from tenants.identity.roles import Role

PAGE = 20
AHEAD = 12  # coming dates shown on a rule's page
TONES = {"draft": "neutral", "waiting": "warn", "active": "ok", "paused": "warn", "ended": "neutral"}


@allow(*READERS)
def rules(request: HttpRequest) -> HttpResponse:
    """All rules, those at work first, each with what it does next."""
    show = shown.amounts(shown.company_of(request))
    today = timezone.localdate()
    page = Paginator(queries.rules(), PAGE).get_page(request.GET.get("page"))
    found = list(page)
    context = {
        "section": "rules",
        "page": page,
        "rows": [
            {
                "rule": rule,
                "tone": TONES.get(rule.status, "neutral"),
                "occasion": rule_words.occasion(rule.version.definition_of().occasion),
                "audience": rule_words.audience_in_short(rule.version.definition_of().audience),
            }
            for rule in found
        ],
        "today": today,
        "unit": show.unit,
        "may_change": may_change(request),
    }
    return render(request, "company/rules.html", context)
