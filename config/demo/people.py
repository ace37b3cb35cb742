"""Invented companies and their invented people, and the roster workbook that each one's HR would have."""

from dataclasses import dataclass
from datetime import date
from io import BytesIO
from itertools import product

import openpyxl
from openpyxl.styles import Font

_FAMILY = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
_GIVEN = (
    "伟",
    "芳",
    "秀英",
    "敏",
    "静",
    "丽",
    "强",
    "磊",
    "洋",
    "艳",
    "勇",
    "军",
    "杰",
    "娟",
    "涛",
    "明",
    "超",
    "霞",
    "平",
    "桂英",
)
# Numbers of three carriers; the last four digits count people.
_PREFIXES = ("1380013", "1860010", "1891100")

HEADERS = ("工号", "姓名", "手机号码", "所属部门", "邮箱", "入职日期", "生日", "职级")


@dataclass(frozen=True)
class Invented:
    """A company of the demonstration, and what it does there. Amounts are in fen."""

    schema: str
    name: str
    short_name: str
    credit_code: str
    address: str
    points_per_yuan: int
    brand_colour: str
    departments: tuple[str, ...]
    people: int
    deposit_fen: int
    budget_fen: int
    grant_fen: int

    @property
    def domain(self) -> str:
        return f"{self.schema}.localhost"

    @property
    def slip(self) -> tuple[str, str]:
        """The employee whose mobile HR typed with a digit too few, and that number."""
        return employee_no(self, self.people - 1), mobile(self.people - 1)[:-1]


ACME = Invented(
    schema="acme",
    name="北京云帆科技有限公司",
    short_name="云帆科技",
    credit_code="91110108MA01DEMX1Y",
    address="北京市海淀区示例路 8 号",
    points_per_yuan=1,
    brand_colour="#1f6f5c",
    departments=("研发中心/平台组", "研发中心/移动组", "市场部", "客户成功部", "人力资源部"),
    people=48,
    deposit_fen=10_000_000,
    budget_fen=4_800_000,
    grant_fen=50_000,
)
GLOBEX = Invented(
    schema="globex",
    name="上海环球贸易有限公司",
    short_name="环球贸易",
    credit_code="91310115MA1KDEMX28",
    address="上海市浦东新区示例大道 66 号",
    points_per_yuan=100,
    brand_colour="#8a3b2e",
    departments=("销售部", "物流部", "财务部"),
    people=16,
    deposit_fen=2_000_000,
    budget_fen=800_000,
    grant_fen=30_000,
)
COMPANIES = (ACME, GLOBEX)


def employee_no(company: Invented, place: int) -> str:
    """The employee number of the person at a place of the roster, from 0."""
    return f"{company.schema[0].upper()}{place + 1:04d}"


def mobile(place: int) -> str:
    """The mobile of the person at a place of the roster."""
    return f"{_PREFIXES[place % len(_PREFIXES)]}{8000 + place}"


def roster(company: Invented) -> bytes:
    """The roster as HR keeps it: a title above the table, text and dates mixed, one slip of the finger."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "在职花名册"
    sheet["A1"] = f"{company.name} 员工花名册"
    sheet["A1"].font = Font(bold=True, size=14)
    sheet.append([])
    sheet.append(HEADERS)
    names = ["".join(parts) for parts in product(_GIVEN, _FAMILY)]
    for place in range(company.people):
        number = employee_no(company, place)
        given, family = names[place * 7 % len(names)][:-1], names[place * 7 % len(names)][-1]
        slip_no, slip_mobile = company.slip
        sheet.append(
            (
                number,
                f"{family}{given}",
                slip_mobile if number == slip_no else mobile(place),
                company.departments[place % len(company.departments)],
                f"{number.lower()}@{company.schema}.example",
                f"20{15 + place % 10:02d}-{1 + place % 12:02d}-{1 + place % 28:02d}",
                date(1980 + place % 20, 1 + place % 12, 1 + place % 28),
                f"P{4 + place % 5}",
            )
        )
    for column, width in zip("ABCDEFGH", (10, 12, 16, 22, 26, 14, 12, 8), strict=True):
        sheet.column_dimensions[column].width = width
    out = BytesIO()
    book.save(out)
    return out.getvalue()
