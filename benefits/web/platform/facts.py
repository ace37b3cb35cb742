"""A company's facts: its legal person, its look, its points and its limits, changed after it was opened."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django_tenants.utils import tenant_context

from benefits import money
from benefits.points import queries as points
from benefits.points.errors import PointsRateFixed
from benefits.web.platform import who
from benefits.web.platform.forms import FactsForm
from tenants import operations
from tenants.errors import ColourTooLight, DomainError, InvalidColour, InvalidCreditCode
from tenants.models import Company

FIELD_OF: dict[type[DomainError], str] = {
    InvalidCreditCode: "credit_code",
    InvalidColour: "brand_colour",
    ColourTooLight: "brand_colour",
    PointsRateFixed: "points_per_yuan",
}


@who.operators
def facts(request: HttpRequest, schema: str) -> HttpResponse:
    """Show and change what is known of a company."""
    found = get_object_or_404(Company.objects.exclude(status=Company.Status.OPENING), schema_name=schema)
    with tenant_context(found):
        rate_fixed = points.grants().exists()
    form = FactsForm(request.POST or None, initial=_initial(found), rate_fixed=rate_fixed)
    if request.method == "POST" and form.is_valid():
        try:
            changed = operations.change_company(
                company=found, **form.cleaned_data, actor=who.person(request), at=timezone.now()
            )
        except DomainError as error:
            form.add_error(FIELD_OF.get(type(error)), str(error))
        else:
            messages.success(request, _("Saved.") if changed else _("Nothing was different."))
            return redirect("platform_company", schema=schema)
    context = {"section": "companies", "one": found, "form": form}
    return render(request, "platform/company_facts.html", context, status=422 if form.errors else 200)


def _initial(company: Company) -> dict[str, object]:
    values = {name: getattr(company, name) for name in FactsForm.base_fields}
    return {**values, "daily_limit_fen": money.yuan(company.daily_limit_fen)}
