"""The editor's admin, pared down to what an editor of benefits needs. Nothing in it asks the internet."""

from typing import Any

from django.http import HttpRequest
from wagtail import hooks


@hooks.register("construct_homepage_panels")
def no_panels_about_wagtail(request: HttpRequest, panels: list[Any]) -> None:
    """Leave out what advertises new versions and asks elsewhere for them."""
    panels[:] = [
        panel for panel in panels if getattr(panel, "name", "") not in {"upgrade_notification", "whats_new"}
    ]


@hooks.register("construct_settings_menu")
def no_settings_of_the_site(request: HttpRequest, items: list[Any]) -> None:
    """Sites, users, groups and redirects are the product's own business."""
    items[:] = [
        item for item in items if item.name not in {"sites", "users", "groups", "locales", "redirects"}
    ]
