"""The columns a roster may have. A new one is a line here, a function in normalise.py and a test."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import normalise
from .shapes import Cell


@dataclass(frozen=True)
class Field:
    """A column: how people spell it (the most telling spelling first) and how its cells are read."""

    name: str
    spellings: tuple[str, ...]
    read: Callable[[Cell], Any]
    required: bool = False
    kept: bool = True
    is_date: bool = False
    lenient: bool = False  # what cannot be read is told and left out; it holds nobody back
    plain: Callable[[str], Any] | None = None  # whether a text is plainly its own value: most cells are


FIELDS: tuple[Field, ...] = (
    Field(
        "employee_no",
        (
            "工号",
            "员工编号",
            "员工号",
            "人员编号",
            "员工ID",
            "职工号",
            "员工工号",
            "职工编号",
            "Employee ID",
            "Employee No",
            "Employee Number",
            "Staff ID",
            "Staff No",
        ),
        normalise.employee_no,
        required=True,
        plain=re.compile("[A-Za-z0-9][A-Za-z0-9_-]{0,39}").fullmatch,
    ),
    Field(
        "name",
        ("姓名", "员工姓名", "名字", "人员姓名", "Name", "Full Name", "Employee Name"),
        normalise.name,
        required=True,
        plain=re.compile("[\u4e00-\u9fff]{2,50}").fullmatch,
    ),
    Field(
        "mobile",
        (
            "手机号",
            "手机号码",
            "手机",
            "移动电话",
            "联系电话",
            "联系方式",
            "电话",
            "电话号码",
            "Mobile",
            "Mobile Phone",
            "Mobile Number",
            "Phone",
            "Phone Number",
        ),
        normalise.mobile,
        plain=re.compile("1[3-9][0-9]{9}").fullmatch,
    ),
    Field(
        "department",
        ("部门", "所属部门", "部门名称", "所在部门", "Department", "Dept"),
        normalise.department,
    ),
    Field(
        "email",
        ("邮箱", "电子邮件", "电子邮箱", "邮箱地址", "Email", "E-mail", "Email Address"),
        normalise.email,
        plain=re.compile(
            "[a-z0-9]{1,40}(?:[._-][a-z0-9]{1,20}){0,2}@[a-z0-9]{1,40}[.](?:com|cn|net|org)"
        ).fullmatch,
    ),
    Field(
        "hired_on",
        ("入职日期", "入职时间", "到岗日期", "Hire Date", "Start Date"),
        normalise.date,
        is_date=True,
    ),
    Field(
        "birthday",
        ("出生日期", "生日", "Birthday", "Date of Birth", "Birth Date"),
        normalise.date,
        is_date=True,
    ),
    Field("grade", ("职级", "岗位级别", "Grade", "Level", "Job Grade", "Job Level"), normalise.grade),
    Field(
        "city",
        (
            "城市",
            "工作城市",
            "所在城市",
            "工作地点",
            "办公地点",
            "City",
            "Work City",
            "Work Location",
            "Location",
        ),
        normalise.city,
        lenient=True,
    ),
    Field(
        "regular_on",
        ("转正日期", "转正时间", "Regular Date", "Regular From", "Confirmation Date"),
        normalise.date,
        is_date=True,
        lenient=True,
    ),
    Field("points", ("积分", "福利额度", "福利积分", "Points"), normalise.points),
    Field(
        "status",
        ("在职状态", "员工状态", "人员状态", "状态", "Employment Status", "Status"),
        normalise.status,
    ),
    Field(
        "left_on",
        ("离职日期", "离职时间", "Leave Date", "Left On", "Termination Date"),
        normalise.date,
        is_date=True,
    ),
    Field("id_number", ("身份证号", "身份证号码", "身份证"), normalise.id_number, kept=False),
)

BY_NAME = {field.name: field for field in FIELDS}
LEVELS = {"一级部门": 1, "二级部门": 2, "三级部门": 3, "四级部门": 4, "五级部门": 5}

# A group heading that names another person: the columns under it are not the employee's.
_OTHER_PERSON = re.compile(
    "紧急|联系人|联络人|上级|主管|领导|经理|负责人|汇报|导师|师傅|带教|家属|家庭|亲属|配偶|父|母|子女|孩子|"
    "推荐|介绍|担保|证明人|emergency|supervisor|manager|spouse|family|referr|mentor|nextofkin|reportsto"
)
# Headings of staff lists that are none of our fields, however much they look like one.
_KNOWN_OTHERS = frozenset(
    [
        "序号",
        "no",
        "编号",
        "办公电话",
        "座机",
        "固定电话",
        "分机",
        "分机号",
        "传真",
        "紧急联系电话",
        "家庭电话",
        "直属上级",
        "性别",
        "岗位",
        "职位",
        "职务",
        "年龄",
        "工龄",
        "司龄",
        "照片",
        "备注",
        "民族",
        "籍贯",
        "学历",
        "专业",
        "毕业院校",
        "婚姻状况",
        "政治面貌",
        "公司",
        "公司名称",
        "合同到期日",
        "转正日期",
        "签订日期",
        "银行卡号",
        "开户行",
        "户籍地址",
        "住址",
    ]
)
_HEADING_CHARS = 2_000  # what is longer is no heading, and brackets in brackets take their time
_BRACKETED = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|【[^【】]*】")
_NOISE = re.compile("[\\s*\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")
_CODE_SUFFIX = re.compile(r"([^_].*?)_[a-z][a-z0-9_]*")


def fold(text: str) -> str:
    """A heading without width, white space, stars, brackets and case."""
    text = unicodedata.normalize("NFKC", text[:_HEADING_CHARS])
    while (shorter := _BRACKETED.sub("", text)) != text:
        text = shorter
    return _NOISE.sub("", text).lower().rstrip(":.")


_SPELLED: dict[str, tuple[str, int]] = {
    fold(spelling): (field.name, rank) for field in FIELDS for rank, spelling in enumerate(field.spellings)
}
_SPELLED |= {fold(spelling): (f"department:{level}", 0) for spelling, level in LEVELS.items()}


def named(heading: str) -> tuple[str, int] | None:
    """The field a folded heading names and the rank of that spelling; `department:2` is a level."""
    if found := _SPELLED.get(heading):
        return found
    if "_" in heading:
        if found := _SPELLED.get(heading.replace("_", "")):
            return found
        if match := _CODE_SUFFIX.fullmatch(heading):
            return _SPELLED.get(match[1])
    return None


def owns_others(group: str) -> bool:
    """Whether a folded group heading speaks of somebody else than the employee."""
    return bool(_OTHER_PERSON.search(group))


def is_known_other(heading: str) -> bool:
    """Whether a folded heading is a usual one that is no field of ours, so that nothing is suggested for it."""
    return heading in _KNOWN_OTHERS
