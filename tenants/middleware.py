"""Middleware: which company, which language, who may, and how a refusal is told."""

import logging
from collections.abc import Callable
from typing import Any

from csp.constants import SELF
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import DisallowedHost, ObjectDoesNotExist
from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import set_urlconf
from django.utils import translation
from django.utils.cache import patch_vary_headers

from tenants import audit
from tenants.access import ANYONE, BEFORE_SECOND_FACTOR, SIGNED_IN, allowed_for
from tenants.db import connection
from tenants.errors import DomainError
from tenants.models import Company

logger = logging.getLogger(__name__)
GetResponse = Callable[[HttpRequest], HttpResponseBase]

DOMAIN_CACHE_SECONDS = 60
EDITORS = "/cms/"  # where Wagtail's admin is mounted; it needs a looser content policy than our own pages


def health(get_response: GetResponse) -> GetResponse:
    """`/-/live` says that the process answers, `/-/ready` that the database does; neither needs a company."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.path == "/-/live":
            return HttpResponse("ok", content_type="text/plain")
        if request.path == "/-/ready":
            try:
                connection.set_schema_to_public()
                with connection.cursor() as cursor:
                    cursor.execute("SELECT 1")
            except DatabaseError:
                return HttpResponse("the database does not answer", status=503, content_type="text/plain")
            return HttpResponse("ok", content_type="text/plain")
        return get_response(request)

    return middleware


def find_company(domain: str) -> Company | None:
    """The company that a host name leads to; the look-up is cached in the public schema's part of the cache."""
    key = f"domain:{domain}"
    company = cache.get(key)
    if company is None:
        company = Company.objects.filter(domains__domain=domain).first() or False
        cache.set(key, company, DOMAIN_CACHE_SECONDS)
    return company or None


def forget_domains(company: Company) -> None:
    """Make a change of a company felt at once: its host names are looked up anew."""
    previous = connection.tenant
    connection.set_schema_to_public()
    try:
        cache.delete_many([f"domain:{domain}" for domain in company.domains.values_list("domain", flat=True)])
    finally:
        connection.set_tenant(previous)


def _host(request: HttpRequest) -> str | None:
    try:
        host = request.get_host()
    except DisallowedHost:
        return None
    return host.rsplit(":", 1)[0].lower().rstrip(".").removeprefix("www.")


def company(get_response: GetResponse) -> GetResponse:
    """Enter the schema of the host's company; the platform's own host stays in the public schema; else 404."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if getattr(request, "is_dummy", False):
            # A preview: Wagtail asks for a page from within a request, under whatever host its site is called.
            request.company = request.tenant = connection.tenant  # type: ignore[attr-defined]
            return get_response(request)
        connection.set_schema_to_public()
        host = _host(request)
        request.company = None  # type: ignore[attr-defined]
        if host == settings.PLATFORM_DOMAIN:
            request.urlconf = settings.PUBLIC_SCHEMA_URLCONF
            set_urlconf(settings.PUBLIC_SCHEMA_URLCONF)
        else:
            found = find_company(host) if host else None
            if found is None or found.status in {Company.Status.OPENING, Company.Status.CLOSED}:
                return _bare(request, 404)
            if found.status == Company.Status.SUSPENDED:
                return _bare(request, 503)
            connection.set_tenant(found)
            request.company = found  # type: ignore[attr-defined]
            request.tenant = found  # type: ignore[attr-defined]
            request.urlconf = settings.ROOT_URLCONF
            set_urlconf(settings.ROOT_URLCONF)
        token = audit.client_address.set(request.META.get("REMOTE_ADDR", "")[:45])
        try:
            return get_response(request)
        finally:
            audit.client_address.reset(token)

    return middleware


def _bare(request: HttpRequest, status: int) -> HttpResponse:
    # No company, so no session, no menu and nothing of anybody on the page.
    texts = {
        404: "404 · 没有这个企业的福利商城，请核对网址。 There is no mall at this address.",
        503: "503 · 该企业的福利商城已暂停，请联系平台。 This mall is suspended.",
    }
    return HttpResponse(texts[status], status=status, content_type="text/plain; charset=utf-8")


def language(get_response: GetResponse) -> GetResponse:
    """The language of the user, else the cookie's, else the company's, else the browser's."""
    offered = dict(settings.LANGUAGES)

    def middleware(request: HttpRequest) -> HttpResponseBase:
        user = getattr(request, "user", None)
        company = getattr(request, "company", None)
        candidates = [
            request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, ""),
            getattr(user, "language", ""),
            company.language if company else "",
            translation.get_language_from_request(request),
        ]
        chosen = next((one for one in candidates if one in offered), settings.LANGUAGE_CODE)
        with translation.override(chosen):
            request.LANGUAGE_CODE = chosen
            response = get_response(request)
        patch_vary_headers(response, ("Cookie", "Accept-Language"))
        response.headers.setdefault("Content-Language", chosen)
        return response

    return middleware


class Access:
    """Close every view to those it was not declared for; a view without a declaration is closed to all."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if getattr(request, "user", None) is not None and request.user.is_authenticated:
            response.headers.setdefault("Cache-Control", "no-store")
        if response.headers.get("Content-Disposition", "").startswith("attachment"):
            # Whatever a browser takes a file for, it runs nothing and asks nobody.
            response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
        elif request.path.startswith(EDITORS):
            response._csp_replace = settings.WAGTAIL_ADMIN_CSP  # type: ignore[attr-defined]
            response.headers["X-Frame-Options"] = "SAMEORIGIN"  # previews are frames of the editor's page
        elif getattr(request, "is_preview", False):
            response._csp_replace = {"frame-ancestors": [SELF]}  # type: ignore[attr-defined]
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        match = request.resolver_match
        route = (match.url_name or "") if match else ""
        who = allowed_for(view, route=route, path=request.path)
        if ANYONE in who:
            return None
        user = request.user
        if not user.is_authenticated:
            return _sign_in(request)
        if not who or not (SIGNED_IN in who or who & user.roles):
            return render(request, "errors/403.html", status=403)
        if user.needs_second_factor and route not in BEFORE_SECOND_FACTOR and not _has_second_factor(request):
            return redirect("mfa_activate_totp")
        return None


def _sign_in(request: HttpRequest) -> HttpResponseBase:
    from django.contrib.auth.views import redirect_to_login

    if getattr(request, "htmx", False):
        response = HttpResponse(status=401)
        response.headers["HX-Refresh"] = "true"
        return response
    return redirect_to_login(request.get_full_path() if request.method == "GET" else "/")


def _has_second_factor(request: HttpRequest) -> bool:
    from allauth.mfa.utils import is_mfa_enabled

    return bool(is_mfa_enabled(request.user))


class DomainErrors:
    """Tell a DomainError once: JSON where JSON was asked for, else a page with the status of its family."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        if isinstance(exception, ObjectDoesNotExist) and request.path.startswith(EDITORS):
            # Wagtail looks some ids of its forms up without asking whether they are there.
            return render(request, "errors/404.html", status=404)
        if not isinstance(exception, DomainError):
            return None
        if "application/json" in request.headers.get("Accept", ""):
            return JsonResponse(exception.as_dict(), status=exception.status)
        template = "errors/404.html" if exception.status == 404 else "errors/refused.html"
        return render(
            request, template, {"error": exception, "message": str(exception)}, status=exception.status
        )
