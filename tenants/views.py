"""Pages that belong to no room: refusals of the framework itself."""

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
    """A bug. The page says so and nothing more."""
    return render(request, "errors/500.html", status=500)
