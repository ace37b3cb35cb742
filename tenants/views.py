"""Pages that belong to no room: refusals of the framework itself."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tenants.access import ANYONE, allow


@allow(ANYONE)
def csrf_refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without a valid token: the page was open too long, or it came from elsewhere."""
    return render(request, "errors/csrf.html", status=403)


@allow(ANYONE)
def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """No such page, or none that the reader may see."""
    return render(request, "errors/404.html", status=404)


@allow(ANYONE)
def failed(request: HttpRequest) -> HttpResponse:
    """A bug, or a database that is away or recovering (503). The page says no more."""
    response = render(request, "errors/500.html", status=500)
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        response.status_code = 503
        response.headers["Retry-After"] = "5"
    return response
