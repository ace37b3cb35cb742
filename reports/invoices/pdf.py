"""An invoice's PDF from its snapshot alone, rendered in a limited child process; the same snapshot makes the same bytes."""

import json
import logging
import subprocess
import sys
from datetime import date
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from django.template import Context, Engine

from benefits import money
from reports.invoices import renderer
from reports.invoices.document import Document, Party
from reports.invoices.errors import ChineseFontMissing, PdfLibraryMissing, RenderingFailed

SECONDS = 30
"""How long one document may take by the wall clock before its process is killed."""

MAX_LINES = 500
"""Lines printed; an invoice with more prints the rest as one sum and refers to its workbook."""

_TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
_RENDERER = Path(renderer.__file__).resolve()
_FAILURES = {renderer.LIBRARY_MISSING: PdfLibraryMissing, renderer.FONT_MISSING: ChineseFontMissing}
_log = logging.getLogger(__name__)


def render(document: Document) -> bytes:
    """The document as PDF. Raises PdfLibraryMissing, ChineseFontMissing or RenderingFailed."""
    html = _engine().get_template("pdf/invoice.html").render(Context(page(document)))
    return render_html(
        html, (_TEMPLATES / "pdf" / "invoice.css").read_text(encoding="utf-8"), name=document.number
    )


def render_html(html: str, css: str, *, name: str) -> bytes:
    """A complete page as PDF, from a process that can open no file or address and is killed when it takes too long."""
    job = json.dumps({"html": html, "css": css}).encode()
    with TemporaryDirectory(prefix="pdf-") as home:
        environment = {
            "HOME": home,
            "TMPDIR": home,
            "LANG": "C.UTF-8",
            "PYTHONHASHSEED": "0",
            "SOURCE_DATE_EPOCH": "0",
        }
        try:
            done = subprocess.run(
                [sys.executable, "-I", str(_RENDERER)],
                input=job, capture_output=True, timeout=SECONDS, cwd=home, env=environment, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as late:
            raise RenderingFailed(name=name) from late
    if done.returncode == 0:
        return done.stdout
    level = logging.CRITICAL if done.returncode == renderer.FETCH_REFUSED else logging.ERROR
    _log.log(
        level,
        "rendering %s ended with %s: %s",
        name,
        done.returncode,
        done.stderr[-500:].decode(errors="replace"),
    )
    raise _FAILURES.get(done.returncode, RenderingFailed)(name=name)


def page(document: Document) -> dict[str, object]:
    """The words and figures of the page, all of them text."""
    is_credit_note = document.kind == "credit_note"
    shown, rest = document.lines[:MAX_LINES], document.lines[MAX_LINES:]
    return {
        "title": "红字结算单" if is_credit_note else "结算单",
        "contents": "截至期末冲回的、原账单已开的福利商品"
        if is_credit_note
        else "截至期末已交付、此前未开账的福利商品",
        "number": document.number,
        "corrects": document.corrects,
        "issued_on": _day(document.issued_on),
        "month": _month(document.first_day),
        "period": f"{_day(document.first_day)} 至 {_day(document.last_day)}",
        "seller": _facts(document.seller),
        "buyer": _facts(document.buyer),
        "lines": [
            {
                "index": str(index),
                "product": line.product,
                "tax_category": line.tax_category,
                "quantity": f"{line.quantity:,}".replace("-", money.MINUS),
                "unit": money.yuan_grouped(line.unit_fen),
                "rate": rate(line.rate_bp),
                "net": money.yuan_grouped(line.net_fen),
                "tax": money.yuan_grouped(line.tax_fen),
                "gross": money.yuan_grouped(line.gross_fen),
            }
            for index, line in enumerate(shown, start=1)
        ],
        "rest": {
            "count": f"{len(rest):,}",
            "net": money.yuan_grouped(sum(line.net_fen for line in rest)),
            "tax": money.yuan_grouped(sum(line.tax_fen for line in rest)),
            "gross": money.yuan_grouped(sum(line.gross_fen for line in rest)),
        }
        if rest
        else None,
        "tax_lines": [
            {
                "tax_category": line.tax_category,
                "rate": rate(line.rate_bp),
                "net": money.yuan_grouped(line.net_fen),
                "tax": money.yuan_grouped(line.tax_fen),
                "gross": money.yuan_grouped(line.gross_fen),
            }
            for line in document.tax_lines
        ],
        "net": money.yuan_grouped(document.net_fen),
        "tax": money.yuan_grouped(document.tax_fen),
        "total": money.yuan_grouped(document.total_fen),
        "capitals": money.capitals(document.total_fen),
        "note": document.note,
        "digest": " ".join(document.digest[start : start + 8] for start in range(0, 32, 8)),
    }


def rate(rate_bp: int) -> str:
    """600 → '6%', 650 → '6.5%'."""
    whole, rest = divmod(rate_bp, 100)
    decimals = f"{rest:02d}".rstrip("0")
    return f"{whole}{'.' if decimals else ''}{decimals}%"


def _facts(party: Party) -> list[tuple[str, str]]:
    facts = [
        ("名称", party.name),
        ("统一社会信用代码", party.credit_code),
        ("地址", party.address),
        ("电话", party.phone),
        ("开户银行", party.bank),
        ("银行账号", party.bank_account),
    ]
    return [(label, value) for label, value in facts if value]


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def _month(day: date) -> str:
    return f"{day.year}年{day.month}月"


@cache
def _engine() -> Engine:
    """An engine of its own: only the built-in tags, autoescaping on, nothing but templates/pdf to read."""
    return Engine(dirs=[str(_TEMPLATES)], autoescape=True, debug=False)
