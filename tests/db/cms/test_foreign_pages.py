"""The editor of one company with ids of another: nothing is there. What editors write and upload does no harm."""

import json
from io import BytesIO
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django_tenants.utils import schema_context
from PIL import Image as Picture
from wagtail.documents.models import Document
from wagtail.images.models import Image
from wagtail.models import Page

from cms.models import ArticlePage, HomePage
from tenants.identity.roles import Role
from tenants.models import Company
from tests.people import client_of, somebody

CANARY = "CANARY"
MORE = 4  # so many more rows does the other company have


def _png(word: str) -> ContentFile:
    buffer = BytesIO()
    Picture.new("RGB", (8, 8), "teal").save(buffer, "PNG")
    return ContentFile(buffer.getvalue(), name=f"{word.lower()}.png")


def _fill(word: str, number: int) -> dict[str, int]:
    """Pages, pictures and documents of the current company; returns the last id of each."""
    for place in range(number):
        page = HomePage.objects.get().add_child(
            instance=ArticlePage(title=f"{word}-page-{place}", slug=f"{word.lower()}-{place}")
        )
        page.save_revision().publish()
        image = Image.objects.create(title=f"{word}-image-{place}", file=_png(word))
        document = Document.objects.create(
            title=f"{word}-document-{place}", file=ContentFile(b"x", name="x.pdf")
        )
    return {
        "page": page.pk,
        "image": image.pk,
        "document": document.pk,
        "revision": page.latest_revision_id,
    }


@pytest.fixture
def media(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = str(tmp_path)


@pytest.fixture
def foreign(db: None, media: None) -> dict[str, int]:
    """Ids of Globex; Acme has rows with the lower ones, and none with these."""
    with schema_context("globex"):
        theirs = _fill(CANARY, MORE)
    with schema_context("acme"):
        ours = _fill("OURS", 1)
    assert all(ours[name] < theirs[name] for name in ours)
    return theirs


@pytest.fixture
def editor(acme: Company, foreign: dict[str, int]) -> Client:
    return client_of(somebody(Role.EDITOR, Role.ADMIN), host="acme.localhost")


PATHS = [
    "/cms/pages/{page}/",
    "/cms/pages/{page}/edit/",
    "/cms/pages/{page}/edit/preview/",
    "/cms/pages/{page}/view_draft/",
    "/cms/pages/{page}/add_subpage/",
    "/cms/pages/{page}/delete/",
    "/cms/pages/{page}/unpublish/",
    "/cms/pages/{page}/copy/",
    "/cms/pages/{page}/move/",
    "/cms/pages/{page}/history/",
    "/cms/pages/{page}/usage/",
    "/cms/pages/{page}/privacy/",
    "/cms/pages/{page}/revisions/{revision}/view/",
    "/cms/pages/{page}/revisions/{revision}/revert/",
    "/cms/pages/{page}/revisions/compare/{revision}...live/",
    "/cms/pages/add/cms/articlepage/{page}/",
    "/cms/choose-page/{page}/",
    "/cms/images/{image}/",
    "/cms/images/{image}/delete/",
    "/cms/images/{image}/preview/fill-8x8/",
    "/cms/images/chooser/{image}/",
    "/cms/images/chooser/{image}/select_format/",
    "/cms/images/usage/{image}/",
    "/cms/documents/edit/{document}/",
    "/cms/documents/delete/{document}/",
    "/cms/documents/chooser/{document}/",
    "/cms/documents/usage/{document}/",
    "/documents/{document}/x.pdf",
]


@pytest.mark.parametrize("path", PATHS)
def test_t19_a_foreign_id_is_not_there(editor: Client, foreign: dict[str, int], path: str) -> None:
    theirs = editor.get(path.format(**foreign))
    none = editor.get(path.format(**{name: 900_000 + pk for name, pk in foreign.items()}))
    assert theirs.status_code == none.status_code == 404
    assert CANARY not in theirs.content.decode()
    assert editor.post(path.format(**foreign)).status_code in (404, 405)


@pytest.mark.parametrize(
    "path",
    [
        "/cms/pages/search/?q=CANARY",
        "/cms/images/?q=CANARY",
        "/cms/documents/?q=CANARY",
        "/cms/choose-page/search/?q=CANARY",
        "/cms/images/chooser/results/?q=CANARY",
        "/cms/documents/chooser/results/?q=CANARY",
        "/cms/choose-page/",
        "/cms/images/chooser/",
        "/cms/documents/chooser/",
        "/cms/reports/site-history/",
        "/cms/reports/aging-pages/",
        "/cms/",
    ],
)
def test_t19_lists_choosers_and_searches_show_ones_own_alone(editor: Client, path: str) -> None:
    answer = editor.get(path)
    assert answer.status_code == 200
    assert f"{CANARY}-" not in answer.content.decode()
    assert f"{CANARY.lower()}." not in answer.content.decode()


def test_t19_a_page_cannot_be_moved_or_copied_under_a_foreign_one(
    editor: Client, foreign: dict[str, int], acme: Company
) -> None:
    connection.set_tenant(acme)
    ours = ArticlePage.objects.get(title="OURS-page-0")
    copy = {
        "new_title": "Copy", "new_slug": "copy", "new_parent_page": foreign["page"], "copy_subpages": "",
        "publish_copies": "", "alias": "",
    }  # fmt: skip
    assert editor.post(f"/cms/pages/{ours.pk}/copy/", copy).status_code == 404
    assert editor.post(f"/cms/pages/{ours.pk}/move/{foreign['page']}/confirm/").status_code == 404
    connection.set_tenant(acme)
    assert not Page.objects.filter(slug="copy").exists()
    assert ArticlePage.objects.get(pk=ours.pk).get_parent().pk == HomePage.objects.get().pk


def test_t19_bulk_actions_take_no_foreign_ids(editor: Client, foreign: dict[str, int]) -> None:
    for kind, model in (("page", "wagtailcore/page"), ("image", "wagtailimages/image")):
        answer = editor.get(f"/cms/bulk/{model}/delete/?id={foreign[kind]}&next=/cms/")
        assert CANARY not in answer.content.decode()
        editor.post(f"/cms/bulk/{model}/delete/?id={foreign[kind]}&next=/cms/")
    with schema_context("globex"):
        assert ArticlePage.objects.filter(title__startswith=CANARY).count() == MORE
        assert Image.objects.filter(title__startswith=CANARY).count() == MORE


def test_t19_a_foreign_picture_cannot_be_put_on_a_page(
    editor: Client, foreign: dict[str, int], acme: Company
) -> None:
    page = _write(acme, [{"type": "image", "value": foreign["image"]}])
    answer = editor.get(f"/cms/pages/{page.pk}/view_draft/")
    assert CANARY not in answer.content.decode()
    assert CANARY.lower() not in answer.content.decode()


# What editors write


def _write(company: Company, body: list[dict[str, Any]]) -> ArticlePage:
    connection.set_tenant(company)
    page = ArticlePage(title="Text", slug="text", body=json.dumps(body))
    HomePage.objects.get().add_child(instance=page)
    page.save_revision().publish()
    return page


@pytest.mark.parametrize(
    "href",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " javascript:alert(1)",
        "java\tscript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
    ],
)
def test_t20_what_runs_is_cleaned_out_of_a_text(editor: Client, acme: Company, href: str) -> None:
    """Whatever way it came to be stored, no reader gets a link that runs or a tag that is not a text's."""
    from wagtail.admin.rich_text.converters.contentstate import ContentstateConverter

    typed = {
        "entityMap": {"0": {"type": "LINK", "mutability": "MUTABLE", "data": {"url": href}}},
        "blocks": [
            {
                "key": "a", "text": "a link <script>alert(2)</script>", "type": "unstyled", "depth": 0,
                "inlineStyleRanges": [], "entityRanges": [{"key": 0, "offset": 0, "length": 6}],
            }
        ],
    }  # fmt: skip
    stored = ContentstateConverter(features=["link", "bold", "ul"]).to_database_format(json.dumps(typed))
    page = _write(acme, [{"type": "paragraph", "value": stored}])
    html = editor.get(page.url).content.decode()
    assert "a link" in html
    lowered = html.lower().replace("\t", "")
    for bad in ("javascript:", "data:text", "vbscript:", "<script>alert", "onerror"):
        assert bad not in lowered


# What editors upload


@pytest.mark.parametrize(
    "name", ["page.html", "page.htm", "picture.svg", "x.xhtml", "x.js", "x.pdf.html", "x"]
)
def test_t21_what_a_browser_would_run_is_not_taken(editor: Client, acme: Company, name: str) -> None:
    file = SimpleUploadedFile(name, b"<script>alert(1)</script>", content_type="application/pdf")
    editor.post(
        "/cms/documents/multiple/add/",
        {"title": "x", "files[]": file},
        headers={"x-requested-with": "XMLHttpRequest"},
    )
    connection.set_tenant(acme)
    assert not Document.objects.filter(title="x").exists()
    picture = SimpleUploadedFile(name, b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>")
    editor.post(
        "/cms/images/multiple/add/",
        {"title": "x", "files[]": picture},
        headers={"x-requested-with": "XMLHttpRequest"},
    )
    connection.set_tenant(acme)
    assert not Image.objects.filter(title="x").exists()


@pytest.mark.parametrize("name", ["x.pdf", "x.html", "x.svg", "x.txt"])
def test_t21_a_document_is_downloaded_and_runs_nowhere(editor: Client, acme: Company, name: str) -> None:
    """Also one that came to be stored in spite of its ending."""
    connection.set_tenant(acme)
    document = Document.objects.create(title="x", file=ContentFile(b"<script>alert(1)</script>", name=name))
    answer = editor.get(document.url)
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    policy = answer.headers["Content-Security-Policy"]
    assert "sandbox" in policy
    assert "default-src 'none'" in policy
