"""What editors put together: announcements, entry points, and the body of an article."""

from typing import Any

from django.utils import translation
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.documents.blocks import DocumentChooserBlock
from wagtail.images.blocks import ImageChooserBlock

from benefits.catalogue import queries as catalogue
from benefits.catalogue.models import Category, Product
from benefits.web.portal import shown

ICONS = [
    ("gift", _("gift")), ("smartphone", _("phone")), ("wifi", _("mobile data")), ("clapperboard", _("film")),
    ("coffee", _("coffee")), ("shopping-bag", _("shopping")), ("book-open", _("reading")), ("heart-pulse", _("health")),
    ("utensils", _("food")), ("car", _("travel")), ("cake", _("birthday")), ("flower-2", _("festival")),
    ("megaphone", _("announcement")), ("circle-question-mark", _("help")), ("users", _("people")), ("star", _("star")),
]  # fmt: skip


def in_language(chinese: str, english: str) -> str:
    """The text in the reader's language; English falls back to Chinese where the editor wrote none."""
    return english if english and (translation.get_language() or "").startswith("en") else chinese


def _shelves() -> list[tuple[str, str]]:
    return [(f"category:{one.slug}", one.name) for one in Category.objects.all()]


def _products() -> list[tuple[str, str]]:
    return [(one.slug, one.name) for one in Product.objects.filter(is_active=True)]


class _Text(blocks.StructValue):
    """Gives templates the words in the reader's language."""

    @property
    def words(self) -> str:
        return in_language(self.get("text", ""), self.get("text_en", ""))

    @property
    def heading(self) -> str:
        return in_language(self.get("title", ""), self.get("title_en", ""))

    @property
    def href(self) -> str:
        """Where it leads: a page, or a shelf of the catalogue."""
        if page := self.get("page"):
            return str(page.url)
        if shelf := self.get("shelf"):
            return f"/benefits/?category={shelf.split(':', 1)[1]}"
        return ""


class Announcement(blocks.StructBlock):
    """A notice on the home page, shown until its last day."""

    title = blocks.CharBlock(label=_("Title"), max_length=60)
    title_en = blocks.CharBlock(label=_("Title in English"), max_length=80, required=False)
    text = blocks.TextBlock(label=_("Text"), max_length=300, required=False)
    text_en = blocks.TextBlock(label=_("Text in English"), max_length=400, required=False)
    page = blocks.PageChooserBlock(label=_("Leads to"), required=False)
    until = blocks.DateBlock(label=_("Shown until"), required=False)

    class Meta:
        icon = "doc-full"
        label = _("Announcement")
        value_class = _Text


class Entry(blocks.StructBlock):
    """A round button on the home page that leads to a page or to a shelf of the catalogue."""

    title = blocks.CharBlock(label=_("Label"), max_length=8)
    title_en = blocks.CharBlock(label=_("Label in English"), max_length=14, required=False)
    icon = blocks.ChoiceBlock(label=_("Icon"), choices=ICONS, default="gift")
    shelf = blocks.ChoiceBlock(label=_("Shelf of the catalogue"), choices=_shelves, required=False)
    page = blocks.PageChooserBlock(label=_("Or a page"), required=False)

    class Meta:
        icon = "link"
        label = _("Entry point")
        value_class = _Text


class Products(blocks.StructBlock):
    """A row of products with a heading."""

    title = blocks.CharBlock(label=_("Heading"), max_length=40, required=False)
    title_en = blocks.CharBlock(label=_("Heading in English"), max_length=60, required=False)
    products = blocks.ListBlock(
        blocks.ChoiceBlock(choices=_products, label=_("Product")), label=_("Products")
    )

    class Meta:
        icon = "tag"
        label = _("Products")
        template = "cms/blocks/products.html"
        value_class = _Text

    def get_context(self, value: Any, parent_context: dict[str, Any] | None = None) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(value, parent_context)
        found = {one.slug: one for one in catalogue.products().filter(slug__in=list(value["products"]))}
        context["tiles"] = [shown.tile(found[slug]) for slug in value["products"] if slug in found]
        return context


BODY: list[tuple[str, blocks.Block]] = [
    ("heading", blocks.CharBlock(label=_("Heading"), icon="title", template="cms/blocks/heading.html")),
    (
        "paragraph",
        blocks.RichTextBlock(
            label=_("Paragraph"), features=["bold", "ol", "ul", "link", "document-link", "h3"]
        ),
    ),
    ("image", ImageChooserBlock(label=_("Picture"), template="cms/blocks/image.html")),
    ("quote", blocks.BlockQuoteBlock(label=_("Quotation"))),
    ("document", DocumentChooserBlock(label=_("Document"), template="cms/blocks/document.html")),
]
