"""The PDF as a reader and as an attacker sees it (V01 to V11 of the catalogue of bad input)."""

import socket
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import pypdf
import pytest

from reports.invoices import pdf
from reports.invoices.document import Document, Line, Party, line
from reports.invoices.errors import ChineseFontMissing, PdfLibraryMissing, RenderingFailed

SELLER = Party(name="福利优选（北京）科技有限公司", credit_code="91350100M000100Y43")
BUYER = Party(
    name="华云科技股份有限公司", credit_code="91440300708461136T", bank="招商银行", bank_account="7559 0000"
)

PAID = line(
    product="中国移动话费 50 元", tax_category="基础电信服务", quantity=120, unit_fen=5000, rate_bp=900
)


def document(*lines: Line, **changes: object) -> Document:
    values: dict[str, object] = {
        "kind": "invoice",
        "number": "ZD2026-000001",
        "month": "2026-01",
        "first_day": date(2026, 1, 1),
        "last_day": date(2026, 1, 31),
        "issued_on": date(2026, 2, 1),
        "seller": SELLER,
        "buyer": BUYER,
        "lines": lines,
    }
    return Document(**(values | changes))  # type: ignore[arg-type]


def text_of(data: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(BytesIO(data)).pages)


def squeezed(text: str) -> str:
    return "".join(text.split())


@contextmanager
def listener() -> Iterator[tuple[str, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        yield f"127.0.0.1:{server.getsockname()[1]}", server


def test_the_page_says_all_that_it_must() -> None:
    data = pdf.render(document(PAID, note="请于十个工作日内核对"))
    text = squeezed(text_of(data))
    for words in (
        "结算单", "非税务发票", "ZD2026-000001", "2026年1月1日至2026年1月31日", "2026年2月1日", "91350100M000100Y43",
        "91440300708461136T", "中国移动话费50元", "基础电信服务", "9%", "5,504.59", "495.41", "6,000.00", "陆仟元整",
        "第1页共1页", "请于十个工作日内核对", "不是税务发票",
    ):  # fmt: skip
        assert words in text, words
    resources: Any = pypdf.PdfReader(BytesIO(data)).pages[0]["/Resources"]
    fonts = {str(font.get_object()["/BaseFont"]) for font in resources["/Font"].values()}
    assert fonts
    assert all("Noto-Sans-CJK-SC" in font for font in fonts)


def test_the_same_document_makes_the_same_bytes() -> None:
    assert pdf.render(document(PAID)) == pdf.render(document(PAID))


def test_a_long_invoice_repeats_its_headings_and_numbers_its_pages() -> None:
    pages = [
        squeezed(page.extract_text())
        for page in pypdf.PdfReader(BytesIO(pdf.render(document(*[PAID] * 130)))).pages
    ]
    assert len(pages) == 5
    assert all(f"第{n}页共5页" in page for n, page in enumerate(pages, 1))
    assert all("含税单价" in page for page in pages[:-1])


def test_what_is_not_printed_is_summed() -> None:
    shown = pdf.page(document(*[PAID] * (pdf.MAX_LINES + 3)))
    assert len(shown["lines"]) == pdf.MAX_LINES  # type: ignore[arg-type]
    assert shown["rest"] == {"count": "3", "net": "16,513.77", "tax": "1,486.23", "gross": "18,000.00"}


def test_a_credit_note_is_negative_and_names_what_it_corrects() -> None:
    returned = line(product="话费", tax_category="电信", quantity=-1, unit_fen=5000, rate_bp=900)
    text = squeezed(text_of(pdf.render(document(returned, kind="credit_note", corrects="ZD2025-000120"))))
    assert "红字结算单" in text
    assert "ZD2025-000120" in text
    assert "负伍拾元整" in text


def test_hostile_names_are_printed_as_they_are_written() -> None:
    with listener() as (address, server):
        texts = [
            f"<img src=http://{address}/a.png>",
            f"<style>@import 'http://{address}/b'</style>",
            "<link rel=attachment href=file:///etc/passwd>",
            "{{ settings.SECRET_KEY }}{% load static %}",
            "<td colspan=100000>&lt;script&gt;",
        ]
        hostile = [Line(**{**vars(PAID), "product": text, "tax_category": text}) for text in texts]
        party = Party(name=texts[0], credit_code=texts[1], address=texts[2], phone=texts[3], bank=texts[4])
        data = pdf.render(document(*hostile, buyer=party, seller=party, note="".join(texts), number=texts[0]))
        with pytest.raises(TimeoutError):
            server.accept()
    text = squeezed(text_of(data))
    for words in texts:
        assert squeezed(words) in text
    assert not pypdf.PdfReader(BytesIO(data)).attachments


@pytest.mark.parametrize(
    "snippet",
    [
        "<img src='http://{address}/a.png'>",
        "<link rel=stylesheet href='http://{address}/a.css'>",
        "<style>@import url(http://{address}/a.css);</style>",
        "<style>@font-face{{font-family:x;src:url(http://{address}/f)}} p{{font-family:x}}</style>",
        "<p style='background:url(http://{address}/a.png)'>x",
        "<svg xmlns='http://www.w3.org/2000/svg'><image href='http://{address}/a.png' width='9' height='9'/></svg>",
        "<img src='data:image/svg+xml,<svg xmlns=\"http://www.w3.org/2000/svg\"/>'>",
        "<object data='file:///etc/passwd'></object><embed src='file:///etc/passwd'>",
        "<a rel=attachment href='file:///etc/passwd'>x</a>",
        "<link rel=attachment href='file:///etc/passwd'>",
        "<img src='http://169.254.169.254/latest/meta-data'>",
    ],
)
def test_even_markup_that_got_through_reaches_nothing(snippet: str, caplog: pytest.LogCaptureFixture) -> None:
    with listener() as (address, server):
        with pytest.raises(RenderingFailed):
            pdf.render_html(f"<p>中文</p>{snippet.format(address=address)}", "", name="X")
        with pytest.raises(TimeoutError):
            server.accept()
    assert caplog.records[-1].levelname == "CRITICAL"


def nested_svg(levels: int = 8) -> str:
    tens = "".join(f"<g id='a{n}'>" + f"<use href='#a{n - 1}'/>" * 10 + "</g>" for n in range(1, levels))
    return f"<svg xmlns='http://www.w3.org/2000/svg'><g id='a0'><rect width='1' height='1'/></g>{tens}</svg>"


@pytest.mark.parametrize(
    "html",
    [
        "<table><tr><td colspan=100000>中</table>" * 3,
        "<div>" * 3000 + "中",
        "<p style='font-size:1e7px'>中",
        "<p>" + "中" * 2_000_000,
        nested_svg(),
    ],
)
def test_pages_that_never_end_are_ended(html: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "SECONDS", 3)
    with suppress(RenderingFailed):
        assert pdf.render_html(html, "body { font-family: 'Noto Sans CJK SC' }", name="X").startswith(b"%PDF")


def test_a_missing_font_is_said() -> None:
    with pytest.raises(ChineseFontMissing):
        pdf.render_html("<p>latin", "p { font-family: 'DejaVu Sans', monospace }", name="X")


def test_a_missing_library_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    venv.create(tmp_path, with_pip=False)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    with pytest.raises(PdfLibraryMissing):
        pdf.render(document(PAID))
