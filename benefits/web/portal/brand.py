"""A company's colour: checked, adjusted until it can be read, and served as a small sheet that replaces tokens."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from tenants.access import ANYONE, allow
from tenants.colours import BLACK, WHITE, Rgb, contrast, parse

READABLE = 4.58
_CANVAS: Rgb = (246, 245, 241)
_DARK_SURFACE: Rgb = (26, 30, 29)


def written(colour: Rgb) -> str:
    """The colour as #RRGGBB."""
    return "#" + "".join(f"{round(part):02X}" for part in colour)


def mix(one: Rgb, other: Rgb, share: float) -> Rgb:
    """`one` with a share (0 to 1) of `other` in it."""
    return (
        one[0] + (other[0] - one[0]) * share,
        one[1] + (other[1] - one[1]) * share,
        one[2] + (other[2] - one[2]) * share,
    )


def _until_readable(colour: Rgb, towards: Rgb, *grounds: Rgb) -> Rgb:
    for step in range(41):
        tried = mix(colour, towards, step / 40)
        rounded: Rgb = (round(tried[0]), round(tried[1]), round(tried[2]))
        if all(contrast(rounded, ground) >= READABLE for ground in grounds):
            return rounded
    return towards


def derive(colour: str) -> dict[str, dict[str, str]] | None:
    """The tokens of both themes for a company's colour: every pair of text and ground is readable. None if unusable."""
    seed = parse(colour)
    if seed is None:
        return None
    tint = mix(seed, WHITE, 0.89)
    brand = _until_readable(seed, BLACK, WHITE, _CANVAS, tint)
    dark_tint = mix(_DARK_SURFACE, seed, 0.22)
    dark_brand = _until_readable(mix(seed, WHITE, 0.3), WHITE, _DARK_SURFACE, dark_tint)
    on_dark = _until_readable(mix(seed, BLACK, 0.82), BLACK, dark_brand)
    lightest = _until_readable(mix(brand, WHITE, 0.08), BLACK, (220, 235, 231))
    return {
        "light": {
            "--brand": written(brand),
            "--brand-strong": written(mix(brand, BLACK, 0.22)),
            "--brand-tint": written(tint),
            "--on-brand": "#FFFFFF",
            "--balance-1": written(lightest),
            "--balance-2": written(mix(lightest, BLACK, 0.16)),
            "--balance-3": written(mix(lightest, BLACK, 0.48)),
        },
        "dark": {
            "--brand": written(dark_brand),
            "--brand-strong": written(mix(dark_brand, WHITE, 0.2)),
            "--brand-tint": written(dark_tint),
            "--on-brand": written(on_dark),
        },
    }


def sheet(colour: str) -> str:
    """The style sheet of a company's colour; empty for a company that has none."""
    tokens = derive(colour)
    if tokens is None:
        return ""
    light = ";".join(f"{name}:{value}" for name, value in tokens["light"].items())
    dark = ";".join(f"{name}:{value}" for name, value in tokens["dark"].items())
    return (
        f"@layer tokens{{:root{{{light}}}[data-theme=dark]{{{dark}}}"
        f"@media (prefers-color-scheme:dark){{:root:not([data-theme=light]){{{dark}}}}}}}\n"
    )


@allow(ANYONE)
@require_safe
def brand_css(request: HttpRequest) -> HttpResponse:
    """The colours of the host's company. Its address carries the colour, so that it may be kept for long."""
    company = getattr(request, "company", None)
    response = HttpResponse(
        sheet(company.brand_colour) if company else "", content_type="text/css; charset=utf-8"
    )
    response.headers["Cache-Control"] = "public, max-age=86400"
    return response
