"""Every address of a URLconf with a sample path, so that a test cannot forget one."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.admindocs.views import simplify_regex
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern

from tenants.access import allowed_for

SAMPLES = {"int": "1", "slug": "acme", "str": "sample", "path": "sample", "uuid": "0" * 32}
# Parts of regular expressions, by their name; `var` is one without.
NAMED = {"kind": "xlsx", "var": "acme/"}
_PART = re.compile(r"<(?:(\w+):)?(\w+)>")


@dataclass(frozen=True)
class Address:
    """One pattern: what it is called, a path that it matches, the view behind it and who may use that."""

    name: str
    path: str
    view: Callable[..., Any]
    is_library: bool

    @property
    def allowed(self) -> frozenset[str]:
        return allowed_for(self.view, route=self.name.rpartition(":")[2], path=self.path)

    def __str__(self) -> str:
        return f"{self.name} {self.path}"


def addresses(urlconf: str) -> list[Address]:
    """All addresses of a URLconf, those of included ones too."""
    return list(_walk(get_resolver(urlconf).url_patterns, "", ""))


def _walk(patterns: list[URLPattern | URLResolver], namespace: str, prefix: str) -> Iterator[Address]:
    for pattern in patterns:
        path = prefix + _sample(pattern)
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _walk(pattern.url_patterns, inner, path)
        else:
            module = getattr(getattr(pattern.callback, "view_class", pattern.callback), "__module__", "")
            yield Address(
                name=f"{namespace}{pattern.name or ''}",
                path=f"/{path}",
                view=pattern.callback,
                is_library=module.partition(".")[0] not in ("benefits", "cms", "reports", "tenants"),
            )


def _sample(pattern: URLPattern | URLResolver) -> str:
    own = pattern.pattern
    if isinstance(own, RoutePattern):
        return _PART.sub(lambda part: SAMPLES[part[1] or "str"], str(own))
    text = simplify_regex(re.sub(r"\(\\d\+\)", "1", str(own))).lstrip("/").replace("\\", "")
    return _PART.sub(lambda part: NAMED.get(part[2], "acme"), text)
