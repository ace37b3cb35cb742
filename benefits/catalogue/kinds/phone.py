"""Kinds that deliver to a mobile number: phone credit, mobile data, and bundles that contain them."""

from django.utils.translation import gettext_lazy as _

from benefits import mobile
from benefits.catalogue.kinds.base import Kind

_PROBLEM = _("Enter a mainland mobile number: 11 digits beginning with 1.")

TOP_UP = Kind(
    slug="top_up",
    template="portal/kinds/top_up.html",
    field_label=_("Mobile number"),
    problem=_PROBLEM,
    clean=mobile.clean,
    mask=mobile.masked,
    is_phone=True,
)
DATA = Kind(
    slug="data",
    template="portal/kinds/top_up.html",
    field_label=_("Mobile number"),
    problem=_PROBLEM,
    clean=mobile.clean,
    mask=mobile.masked,
    is_phone=True,
)
BUNDLE = Kind(
    slug="bundle",
    template="portal/kinds/bundle.html",
    field_label=_("Mobile number for everything in the bundle"),
    problem=_PROBLEM,
    clean=mobile.clean,
    mask=mobile.masked,
    is_phone=True,
)
