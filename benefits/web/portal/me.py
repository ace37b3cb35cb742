"""The reader: profile, language, appearance."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from benefits.web.portal.visitor import employee_of, user_of
from tenants.access import SIGNED_IN, allow
from tenants.identity import preferences
from tenants.identity.roles import Role

YEAR = 365 * 24 * 3600
APPEARANCES = ("light", "dark", "system")


@allow(Role.EMPLOYEE)
@require_safe
def me(request: HttpRequest) -> HttpResponse:
    """Who the mall takes the reader for, and how they like to see it."""
    appearance = request.COOKIES.get("appearance", "")
    return render(
        request,
        "portal/me.html",
        {
            "tab": "me",
            "employee": employee_of(request),
            "appearance": appearance if appearance in APPEARANCES else "system",
        },
    )


@allow(SIGNED_IN)
@require_POST
def prefer(request: HttpRequest) -> HttpResponse:
    """Keep a preference with the user and in a cookie, so that the next page comes right at once."""
    user = user_of(request)
    language, appearance = request.POST.get("language", ""), request.POST.get("appearance", "")
    response = redirect("portal:me")
    if language in dict(settings.LANGUAGES):
        preferences.prefer(user=user, language=language, appearance=user.appearance)
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME, language, max_age=YEAR, samesite="Lax", secure=settings.HTTPS
        )
    if appearance in APPEARANCES:
        preferences.prefer(user=user, language=user.language, appearance=appearance)
        response.set_cookie("appearance", appearance, max_age=YEAR, samesite="Lax", secure=settings.HTTPS)
    return response
