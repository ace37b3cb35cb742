"""The home page, and the pictures of a company's pages."""

import mimetypes

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from cms.models import HomePage
from tenants.access import SIGNED_IN, allow
from tenants.db import connection

PICTURES = ("images/", "original_images/")


@allow(SIGNED_IN)
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The company's home page, found without walking the page tree."""
    page = HomePage.objects.live().first()
    if page is None:
        raise Http404
    response: HttpResponse = page.serve(request)
    return response


@allow(SIGNED_IN)
@require_safe
def picture(request: HttpRequest, schema: str, name: str) -> FileResponse:
    """A picture of this company's pages; another company's is not there."""
    if schema != connection.schema_name or not name.startswith(PICTURES) or ".." in name:
        raise Http404
    if not default_storage.exists(name):
        raise Http404
    kind = mimetypes.guess_type(name)[0] or ""
    if kind not in {"image/png", "image/jpeg", "image/webp", "image/gif", "image/avif"}:
        raise Http404
    response = FileResponse(default_storage.open(name), content_type=kind)
    response.headers["Cache-Control"] = "private, max-age=86400"
    return response
