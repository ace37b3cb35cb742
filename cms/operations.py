"""What a company's pages start with when it opens."""

from datetime import datetime

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from wagtail.models import Collection, GroupCollectionPermission, GroupPagePermission, Page, Site

from cms import texts
from cms.models import ArticlePage, HomePage
from tenants.db import transaction_required
from tenants.identity.roles import Role
from tenants.models import Company


@transaction_required
def provision(*, company: Company, at: datetime) -> None:
    """Give a company its site: a home page, a help text, and the rights of its editors. Safe to repeat."""
    if HomePage.objects.exists():
        return
    Site.objects.all().delete()
    root = Page.objects.get(depth=1)
    for page in root.get_children():
        page.specific.delete()
    root.refresh_from_db()
    home = root.add_child(
        instance=HomePage(
            title=company.display_name,
            slug="home",
            first_published_at=at,
            last_published_at=at,
            latest_revision_created_at=at,
        )
    )
    home.add_child(
        instance=ArticlePage(
            title=texts.HELP_TITLE,
            title_en=texts.HELP_TITLE_EN,
            slug="help",
            intro=texts.HELP_INTRO,
            body=texts.HELP,
            body_en=texts.HELP_EN,
            first_published_at=at,
            last_published_at=at,
            latest_revision_created_at=at,
        )
    )
    Site.objects.create(
        hostname="localhost", port=80, site_name=company.display_name, root_page=home, is_default_site=True
    )
    _let_editors_in(home)


def _let_editors_in(home: HomePage) -> None:
    enter = Permission.objects.get(content_type__app_label="wagtailadmin", codename="access_admin")
    collection = Collection.get_first_root_node()
    pages = ContentType.objects.get_for_model(Page)
    for name in (Role.EDITOR, Role.ADMIN):
        group, _ = Group.objects.get_or_create(name=str(name))
        group.permissions.add(enter)
        for codename in ("add_page", "change_page", "publish_page"):
            GroupPagePermission.objects.get_or_create(
                group=group,
                page=home,
                permission=Permission.objects.get(content_type=pages, codename=codename),
            )
        for app, codename in (
            ("wagtailimages", "add_image"),
            ("wagtailimages", "change_image"),
            ("wagtailimages", "choose_image"),
            ("wagtaildocs", "add_document"),
            ("wagtaildocs", "change_document"),
            ("wagtaildocs", "choose_document"),
        ):
            permission = Permission.objects.get(content_type__app_label=app, codename=codename)
            GroupCollectionPermission.objects.get_or_create(
                group=group, collection=collection, permission=permission
            )
