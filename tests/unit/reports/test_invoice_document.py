from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.invoices.document import NAME_LIMIT, Document, Line, Party, TaxLine, line, party, printable


def document(*lines: Line, **changes: object) -> Document:
    values: dict[str, object] = {
        "kind": "invoice",
        "number": "ZD2026-000001",
        "month": "2026-01",
        "first_day": date(2026, 1, 1),
        "last_day": date(2026, 1, 31),
        "issued_on": date(2026, 2, 1),
        "seller": Party(name="平台", credit_code="91350100M000100Y43"),
        "buyer": Party(name="企业", credit_code="91440300708461136T"),
        "lines": lines,
    }
    return Document(**(values | changes))  # type: ignore[arg-type]


def test_tax_is_worked_out_once_a_line_and_totals_are_sums_of_lines() -> None:
    made = document(
        line(product="话费", tax_category="电信", quantity=3, unit_fen=3333, rate_bp=900),
        line(product="会员", tax_category="信息服务", quantity=1, unit_fen=3333, rate_bp=600),
        line(product="流量", tax_category="电信", quantity=1, unit_fen=1, rate_bp=900),
    )
    assert [(x.gross_fen, x.net_fen, x.tax_fen) for x in made.lines] == [
        (9999, 9173, 826),
        (3333, 3144, 189),
        (1, 1, 0),
    ]
    assert (made.total_fen, made.net_fen, made.tax_fen) == (13333, 12318, 1015)
    assert [(x.tax_category, x.rate_bp, x.net_fen, x.tax_fen, x.gross_fen) for x in made.tax_lines] == [
        ("信息服务", 600, 3144, 189, 3333),
        ("电信", 900, 9174, 826, 10000),
    ]


@given(
    st.lists(
        st.builds(
            line,
            product=st.text(max_size=20),
            tax_category=st.sampled_from("甲乙丙"),
            quantity=st.integers(-50, 50),
            unit_fen=st.integers(1, 10**8),
            rate_bp=st.sampled_from([0, 600, 900, 1300]),
        ),
        max_size=20,
    )
)
def test_net_plus_tax_is_gross_everywhere_and_a_snapshot_reads_back(lines: list[Line]) -> None:
    made = document(*lines)
    parts: list[Line | TaxLine] = [*made.lines, *made.tax_lines]
    for part in parts:
        assert part.net_fen + part.tax_fen == part.gross_fen
    assert sum(part.gross_fen for part in made.tax_lines) == made.total_fen == made.net_fen + made.tax_fen
    assert Document.from_json(made.to_json()) == made
    assert Document.from_json(made.to_json()).digest == made.digest


def test_the_digest_changes_with_any_word() -> None:
    assert document().digest != document(note="x").digest


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("华云\u202e科技\u2066", "华云科技"),
        ("a\u200bb\u200dc\ufeff", "abc"),
        ("一\r\n二\t三\u2028四", "一 二 三 四"),
        ("a" + "\u0301" * 500, "\u00e1\u0301\u0301"),
        ("  ·阿依古丽·买买提 ", "·阿依古丽·买买提"),
        ("\x00\x07\ud800x", "x"),
        ("䶮", "䶮"),
    ],
)
def test_names_are_made_printable(text: str, shown: str) -> None:
    assert printable(text, 100) == shown


def test_long_names_are_cut_with_a_mark() -> None:
    assert party(name="长" * 2_000_000, credit_code="").name == "长" * (NAME_LIMIT - 1) + "…"


@given(st.text())
def test_whatever_is_typed_stays_within_its_limit(text: str) -> None:
    assert len(printable(text, 40)) <= 40
