"""The pages that a company's editors write. Looks, does not touch: figures come from the rooms' queries."""

from typing import Any

from django.db import models
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from wagtail.admin.panels import FieldPanel, MultiFieldPanel
from wagtail.fields import StreamField
from wagtail.models import Page

from cms import blocks, front

HUES = [
    ("pine", _("pine")), ("lake", _("lake")), ("plum", _("plum")), ("cinnabar", _("cinnabar")),
    ("ochre", _("ochre")), ("moss", _("moss")), ("indigo", _("indigo")), ("slate", _("slate")),
]  # fmt: skip
ARTS = [
    ("cloud", _("clouds")), ("petal", _("petals")), ("lattice", _("lattice")), ("scale", _("waves")),
    ("rosette", _("rosette")), ("road", _("rays")), ("orbit", _("orbits")),
]  # fmt: skip


class HomePage(Page):
    """The first page after signing in: the balance comes by itself, the rest is the editor's."""

    hero_title = models.CharField(_("welcome line"), max_length=40, blank=True)
    hero_title_en = models.CharField(_("welcome line in English"), max_length=60, blank=True)
    hero_text = models.CharField(_("text below it"), max_length=120, blank=True)
    hero_text_en = models.CharField(_("text below it in English"), max_length=160, blank=True)
    announcements = StreamField(
        [("announcement", blocks.Announcement())], blank=True, max_num=6, verbose_name=_("announcements")
    )
    entries = StreamField([("entry", blocks.Entry())], blank=True, max_num=8, verbose_name=_("entry points"))

    max_count = 1
    parent_page_types = ["wagtailcore.Page"]
    subpage_types = ["cms.ArticlePage", "cms.CampaignPage"]
    template = "cms/home_page.html"
    content_panels = [
        *Page.content_panels,
        MultiFieldPanel(
            [FieldPanel(name) for name in ("hero_title", "hero_title_en", "hero_text", "hero_text_en")],
            heading=_("Welcome"),
        ),
        FieldPanel("announcements"),
        FieldPanel("entries"),
    ]

    class Meta:
        verbose_name = _("home page")

    @property
    def welcome(self) -> str:
        """The welcome line in the reader's language."""
        return blocks.in_language(self.hero_title, self.hero_title_en)

    @property
    def welcome_text(self) -> str:
        return blocks.in_language(self.hero_text, self.hero_text_en)

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(request, *args, **kwargs)
        now = timezone.now().astimezone(timezone.get_current_timezone())
        context |= front.home(request, at=now)
        context["announcements"] = [
            block.value
            for block in self.announcements
            if not block.value["until"] or block.value["until"] >= now.date()
        ]
        context["campaigns"] = CampaignPage.running(at=now)
        context["tab"] = "home"
        return context


class ArticlePage(Page):
    """A text: help, an announcement in full, a house rule."""

    title_en = models.CharField(_("title in English"), max_length=120, blank=True)
    intro = models.CharField(_("introduction"), max_length=200, blank=True)
    body = StreamField(blocks.BODY, blank=True, verbose_name=_("body"))
    body_en = StreamField(blocks.BODY, blank=True, verbose_name=_("body in English"))

    parent_page_types = ["cms.HomePage", "cms.ArticlePage"]
    subpage_types = ["cms.ArticlePage"]
    template = "cms/article_page.html"
    content_panels = [
        *Page.content_panels,
        *(FieldPanel(name) for name in ("title_en", "intro", "body", "body_en")),
    ]

    class Meta:
        verbose_name = _("article")

    @property
    def heading(self) -> str:
        """The title in the reader's language."""
        return blocks.in_language(self.title, self.title_en)

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(request, *args, **kwargs)
        context["text"] = self.body_en if blocks.in_language("", "en") and self.body_en else self.body
        context["below"] = list(ArticlePage.objects.live().child_of(self))
        context["tab"] = "me"
        return context


class CampaignPage(Page):
    """A festival or an occasion: one picture or emblem, a text, and the products that belong to it."""

    title_en = models.CharField(_("title in English"), max_length=120, blank=True)
    line = models.CharField(_("line below the title"), max_length=80, blank=True)
    line_en = models.CharField(_("line in English"), max_length=120, blank=True)
    picture = models.ForeignKey(
        "wagtailimages.Image",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("picture"),
    )
    hue = models.CharField(_("colour"), max_length=12, choices=HUES, default="cinnabar")
    art = models.CharField(_("drawing"), max_length=12, choices=ARTS, default="cloud")
    from_date = models.DateField(_("first day"), null=True, blank=True)
    to_date = models.DateField(_("last day"), null=True, blank=True)
    body = StreamField([*blocks.BODY, ("products", blocks.Products())], blank=True, verbose_name=_("body"))

    parent_page_types = ["cms.HomePage"]
    subpage_types: list[str] = []
    template = "cms/campaign_page.html"
    content_panels = [
        *Page.content_panels,
        *(
            FieldPanel(n)
            for n in ("title_en", "line", "line_en", "picture", "hue", "art", "from_date", "to_date", "body")
        ),
    ]

    class Meta:
        verbose_name = _("campaign")

    @property
    def heading(self) -> str:
        """The title in the reader's language."""
        return blocks.in_language(self.title, self.title_en)

    @property
    def subline(self) -> str:
        return blocks.in_language(self.line, self.line_en)

    @classmethod
    def running(cls, *, at: Any) -> list["CampaignPage"]:
        """The campaigns that an employee should see today, the newest first."""
        day = at.date()
        return list(
            cls.objects.live()
            .filter(models.Q(from_date__isnull=True) | models.Q(from_date__lte=day))
            .filter(models.Q(to_date__isnull=True) | models.Q(to_date__gte=day))
            .select_related("picture")
            .order_by("-first_published_at")[:3]
        )

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(request, *args, **kwargs)
        context["tab"] = "home"
        return context
