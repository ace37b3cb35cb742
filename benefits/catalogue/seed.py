"""A catalogue as a real one looks: carriers at their usual face values, data, memberships, card codes, a bundle.

Brand names are plain words for what is delivered; the figures are examples an operator replaces.
"""

from typing import Any, NamedTuple

from pypinyin import Style, lazy_pinyin

from benefits.catalogue.models import BundlePart, Category, Product, Sku
from tenants.db import transaction

CATEGORIES = [
    ("telecom", "通讯", "Phone", "phone"),
    ("video", "影音", "Video and music", "play"),
    ("reading", "阅读", "Reading", "book"),
    ("dining", "餐饮", "Dining", "cup"),
    ("shopping", "购物", "Shopping", "bag"),
    ("bundles", "组合", "Bundles", "gift"),
]


class Size(NamedTuple):
    """One SKU of a seeded product; amounts in fen."""

    code: str
    name_zh: str
    name_en: str
    face_fen: int
    price_fen: int


class Entry(NamedTuple):
    """One seeded product."""

    slug: str
    category: str
    kind: str
    tax: str
    name_zh: str
    name_en: str
    summary_zh: str
    summary_en: str
    colour: str
    emblem: str
    sizes: list[Size]
    carrier: str = ""


def _faces(prefix: str) -> list[Size]:
    # 10 to 500 yuan at 99 % of face value, the usual terms of a carrier's reseller.
    return [
        Size(f"{prefix}-{yuan}", f"{yuan} 元", f"¥{yuan}", yuan * 100, yuan * 99)
        for yuan in (10, 20, 30, 50, 100, 200, 500)
    ]


def _months(prefix: str, month_fen: int) -> list[Size]:
    return [
        Size(f"{prefix}-month", "月卡", "1 month", month_fen, month_fen),
        Size(f"{prefix}-quarter", "季卡", "3 months", month_fen * 3, month_fen * 28 // 10),
        Size(f"{prefix}-year", "年卡", "12 months", month_fen * 12, month_fen * 10),
    ]


def _phone(slug: str, zh: str, en: str, emblem: str, colour: str) -> Entry:
    return Entry(
        slug=f"{slug}-top-up", category="telecom", kind="top_up", tax="telecom", name_zh=f"{zh}话费",
        name_en=f"{en} phone credit", summary_zh="直充到号码，通常 1–10 分钟到账", carrier=slug,
        summary_en="Straight to the number, usually within 1–10 minutes", colour=colour, emblem=emblem,
        sizes=_faces(f"topup-{slug}"),
    )  # fmt: skip


def _data(slug: str, zh: str, en: str, emblem: str, colour: str) -> Entry:
    sizes = [
        Size(f"data-{slug}-1g", "1 GB 日包", "1 GB, 1 day", 300, 280),
        Size(f"data-{slug}-5g", "5 GB 周包", "5 GB, 7 days", 1500, 1400),
        Size(f"data-{slug}-10g", "10 GB 月包", "10 GB, 30 days", 3000, 2800),
    ]
    return Entry(
        slug=f"{slug}-data", category="telecom", kind="data", tax="telecom_data", name_zh=f"{zh}流量",
        name_en=f"{en} mobile data", summary_zh="全国通用流量包，立即生效", carrier=slug,
        summary_en="Valid nationwide, from now on", colour=colour, emblem=emblem, sizes=sizes,
    )  # fmt: skip


def _plain(slug: str, category: str, kind: str, tax: str, names: tuple[str, str], summaries: tuple[str, str],
           look: tuple[str, str], sizes: list[Size]) -> Entry:  # fmt: skip
    return Entry(slug, category, kind, tax, *names, *summaries, *look, sizes)


MEMBER = ("直充到账号，立即生效", "Straight to your account, valid at once")
CODE = ("兑换码，发放后在订单中查看", "A code, shown in your order")

PRODUCTS = [
    _phone("mobile", "中国移动", "China Mobile", "移", "blue"),
    _phone("unicom", "中国联通", "China Unicom", "联", "red"),
    _phone("telecom", "中国电信", "China Telecom", "电", "teal"),
    _data("mobile", "中国移动", "China Mobile", "移", "blue"),
    _data("unicom", "中国联通", "China Unicom", "联", "red"),
    _data("telecom", "中国电信", "China Telecom", "电", "teal"),
    _plain("tencent-video", "video", "membership", "information", ("腾讯视频 VIP", "Tencent Video VIP"), MEMBER,
           ("orange", "腾"), _months("tencent-video", 2500)),
    _plain("iqiyi", "video", "membership", "information", ("爱奇艺黄金会员", "iQIYI Gold"), MEMBER,
           ("green", "爱"), _months("iqiyi", 2500)),
    _plain("bilibili", "video", "membership", "information", ("哔哩哔哩大会员", "Bilibili Premium"), MEMBER,
           ("rose", "哔"), _months("bilibili", 2500)),
    _plain("netease-music", "video", "membership", "information", ("网易云音乐黑胶 VIP", "NetEase Music VIP"), MEMBER,
           ("red", "网"), _months("netease-music", 1800)),
    _plain("qq-music", "video", "membership", "information", ("QQ 音乐豪华绿钻", "QQ Music Deluxe"), MEMBER,
           ("green", "Q"), _months("qq-music", 1800)),
    _plain("weread", "reading", "membership", "information", ("微信读书付费会员", "WeRead membership"), MEMBER,
           ("blue", "读"), _months("weread", 1900)),
    _plain("dedao", "reading", "membership", "information", ("得到听书会员", "Dedao audio books"), MEMBER,
           ("gold", "得"), _months("dedao", 3500)),
    _plain("coffee", "dining", "card", "goods", ("咖啡通兑券", "Coffee voucher"), CODE, ("brown", "啡"),
           [Size("coffee-cup", "中杯 1 杯", "1 cup", 3000, 2500), Size("coffee-five", "中杯 5 杯", "5 cups", 15000, 12000)]),
    _plain("jd-card", "shopping", "card", "goods", ("京东 E 卡", "JD gift card"), CODE, ("red", "京"),
           [Size(f"jd-{yuan}", f"{yuan} 元", f"¥{yuan}", yuan * 100, yuan * 100) for yuan in (50, 100, 200, 500)]),
    _plain("supermarket", "shopping", "card", "goods", ("超市购物卡", "Supermarket card"), CODE, ("teal", "超"),
           [Size(f"market-{yuan}", f"{yuan} 元", f"¥{yuan}", yuan * 100, yuan * 100) for yuan in (100, 200)]),
    _plain("commuter", "bundles", "bundle", "telecom", ("通勤组合", "Commuter bundle"),
           ("50 元移动话费 + 音乐月卡", "¥50 China Mobile credit and a month of music"), ("violet", "组"),
           [Size("bundle-commuter", "一份", "One", 6800, 6700)]),
]  # fmt: skip

# Shares of a bundle's price, in fen; they add up to it.
BUNDLES = {"bundle-commuter": [("topup-mobile-50", 4900), ("qq-music-month", 1800)]}


def _search_text(*names: str) -> str:
    words = []
    for name in names:
        pinyin = lazy_pinyin(name)
        initials = "".join(lazy_pinyin(name, style=Style.FIRST_LETTER))
        words += [name, "".join(pinyin), initials]
    return " ".join(words).lower()[:400]


@transaction
def seed() -> dict[str, int]:
    """Write the example catalogue; what is there already is left as it is. Returns counts of products and SKUs."""
    shelves = {}
    for position, (slug, zh, en, icon) in enumerate(CATEGORIES):
        facts = {"name_zh": zh, "name_en": en, "icon": icon, "position": position}
        shelves[slug] = Category.objects.get_or_create(slug=slug, defaults=facts)[0]
    for position, entry in enumerate(PRODUCTS):
        _seed_product(entry, shelves[entry.category], position)
    for bundle, parts in BUNDLES.items():
        for position, (part, fen) in enumerate(parts):
            BundlePart.objects.get_or_create(
                bundle=Sku.objects.get(code=bundle),
                part=Sku.objects.get(code=part),
                defaults={"price_fen": fen, "position": position},
            )
    return {"products": Product.objects.count(), "skus": Sku.objects.count()}


def _seed_product(entry: Entry, category: Category, position: int) -> None:
    facts: dict[str, Any] = {
        "category": category, "kind": entry.kind, "name_zh": entry.name_zh, "name_en": entry.name_en,
        "summary_zh": entry.summary_zh, "summary_en": entry.summary_en, "carrier": entry.carrier,
        "colour": entry.colour, "emblem": entry.emblem, "position": position,
        "search_text": _search_text(entry.name_zh, category.name_zh) + " " + entry.name_en.lower(),
    }  # fmt: skip
    product, _ = Product.objects.get_or_create(slug=entry.slug, defaults=facts)
    for place, size in enumerate(entry.sizes):
        Sku.objects.get_or_create(
            code=size.code,
            defaults={
                "product": product, "name_zh": size.name_zh, "name_en": size.name_en, "face_fen": size.face_fen,
                "price_fen": size.price_fen, "tax_category": entry.tax, "position": place,
            },
        )  # fmt: skip
