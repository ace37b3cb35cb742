"""A company's colour: checked, adjusted until it can be read, and served as a small sheet that replaces tokens."""

import re

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from tenants.access import ANYONE, allow

Rgb = tuple[float, float, float]

READABLE = 4.58
_HEX = re.compile(r"#[0-9a-fA-F]{6}\Z")
_WHITE: Rgb = (255, 255, 255)
_BLACK: Rgb = (0, 0, 0)
_CANVAS: Rgb = (246, 245, 241)
_DARK_SURFACE: Rgb = (26, 30, 29)


def parse(colour: str) -> Rgb | None:
    """#0F5C54 → its three parts; None for anything else."""
    if not _HEX.match(colour):
        return None
    return (int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16))


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


def _light(colour: Rgb) -> float:
    parts = [part / 255 for part in colour]
    red, green, blue = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Rgb, other: Rgb) -> float:
    """The contrast ratio of WCAG 2, from 1 to 21."""
    high, low = sorted((_light(one), _light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


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
    tint = mix(seed, _WHITE, 0.89)
    brand = _until_readable(seed, _BLACK, _WHITE, _CANVAS, tint)
    dark_tint = mix(_DARK_SURFACE, seed, 0.22)
    dark_brand = _until_readable(mix(seed, _WHITE, 0.3), _WHITE, _DARK_SURFACE, dark_tint)
    on_dark = _until_readable(mix(seed, _BLACK, 0.82), _BLACK, dark_brand)
    lightest = _until_readable(mix(brand, _WHITE, 0.08), _BLACK, (220, 235, 231))
    return {
        "light": {
            "--brand": written(brand),
            "--brand-strong": written(mix(brand, _BLACK, 0.22)),
            "--brand-tint": written(tint),
            "--on-brand": "#FFFFFF",
            "--balance-1": written(lightest),
            "--balance-2": written(mix(lightest, _BLACK, 0.16)),
            "--balance-3": written(mix(lightest, _BLACK, 0.48)),
        },
        "dark": {
            "--brand": written(dark_brand),
            "--brand-strong": written(mix(dark_brand, _WHITE, 0.2)),
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
