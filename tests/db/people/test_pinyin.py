"""Names as people type them."""

import pytest

from benefits.people.pinyin import LIMIT, searchable, typed


@pytest.mark.parametrize(
    ("name", "found_by", "not_by"),
    [
        ("张三丰", ["zhangsanfeng", "zhang", "zsf", "zs", "sanfeng", "sf"], ["angsan", "feng", "ngs"]),
        ("欧阳娜娜", ["ouyangnana", "oynn", "nana", "nn"], ["yangnana"]),
        ("单田芳", ["shantianfang", "stf"], ["dan"]),
        ("曾国藩", ["zeng"], ["ceng"]),
        ("吕布", ["lvbu", "lü"], []),
        ("Anna Li", ["annali", "anna li", "al", "li"], ["nna"]),
        ("阿依古丽·买买提", ["ayiguli", "ayglmmt"], []),
        ("䶮", ["yan"], []),
        ("José", ["jose"], []),
    ],
)
def test_a_name_is_found_by_its_beginning_and_its_initials(
    name: str, found_by: list[str], not_by: list[str]
) -> None:
    column = searchable(name)
    assert all(f" {typed(one)}" in column for one in found_by), column
    assert not any(f" {typed(one)}" in column for one in not_by), column


def test_a_search_in_characters_is_no_pinyin() -> None:
    assert typed("张三") == ""
    assert typed("zhang%") == ""
    assert typed("Zhang San") == "zhangsan"


@pytest.mark.parametrize("name", ["", "···", "\U0002ebf0", "單" * 50, "a b " * 12, "\u0301"])
def test_any_name_fits_the_column(name: str) -> None:
    assert len(searchable(name)) <= LIMIT
