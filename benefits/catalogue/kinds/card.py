"""Card codes: delivered to the order's page, so there is no account to ask for."""

from django.utils.translation import gettext_lazy as _

from benefits.catalogue.kinds.base import Kind

CARD = Kind(
    slug="card",
    template="portal/kinds/card.html",
    field_label=_("Delivered to your order"),
    problem=_("A card code needs no account."),
    clean=lambda text: "",
    mask=lambda account: "",
    needs_account=False,
)
