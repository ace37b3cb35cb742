"""The figures on the home page: read through the rooms' queries, never written."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest


def home(request: HttpRequest, *, at: datetime) -> dict[str, Any]:
    """What the home page shows of the reader's own."""
    return {}
