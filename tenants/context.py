"""What every template may know: the company, its words for points, and the platform's footer."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def company(request: HttpRequest) -> dict[str, Any]:
    """The company of the host (None on the platform's) and the platform's own facts."""
    return {
        "company": getattr(request, "company", None),
        "platform_name": settings.PLATFORM_NAME,
        "icp_number": settings.ICP_NUMBER,
        "second_factor_missing": getattr(request, "second_factor_missing", False),
    }
