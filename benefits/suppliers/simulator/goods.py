"""What the simulated supplier sells: the demo's products unless a JSON file says otherwise."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(slots=True)
class Item:
    """One product: `cost_fen` is what the customer is charged for one."""

    product: str
    kind: str  # direct or card
    name: str
    cost_fen: int
    stock: int = 99_999
    on_sale: bool = True


def default_goods() -> dict[str, Item]:
    """Top-ups of three carriers at 98.5 % of their face value, memberships and card codes."""
    items = [
        Item(f"HF-{code}-{yuan}", "direct", f"{name}话费 {yuan} 元", yuan * 100 * 985 // 1000)
        for code, name in (("CMCC", "中国移动"), ("CUCC", "中国联通"), ("CTCC", "中国电信"))
        for yuan in (10, 20, 30, 50, 100, 200, 300, 500)
    ]
    items += [
        Item(f"LL-{code}-{gigabytes}G", "direct", f"{name}流量 {gigabytes} GB", gigabytes * 800)
        for code, name in (("CMCC", "中国移动"), ("CUCC", "中国联通"), ("CTCC", "中国电信"))
        for gigabytes in (1, 5, 10)
    ]
    items += [
        Item("VIP-VIDEO-M", "direct", "视频会员月卡", 2250),
        Item("VIP-VIDEO-Y", "direct", "视频会员年卡", 22800),
        Item("VIP-MUSIC-M", "direct", "音乐会员月卡", 1350),
        Item("KM-VIDEO-M", "card", "视频会员月卡(卡密)", 2300),
        Item("KM-COFFEE-30", "card", "咖啡券 30 元(卡密)", 2790),
        Item("KM-GIFT-50", "card", "购物卡 50 元(卡密)", 4950),
        Item("KM-GIFT-100", "card", "购物卡 100 元(卡密)", 9900),
    ]
    return {item.product: item for item in items}


def read_goods(rows: list[dict[str, Any]]) -> dict[str, Item]:
    """Read products from parsed JSON: a list of objects with the fields of `Item`. Raises TypeError."""
    items = [Item(**row) for row in rows]
    return {item.product: item for item in items}


def load_goods(path: Path | None) -> dict[str, Item]:
    """Read products from a JSON file, or give the demo's. Raises ValueError, TypeError, OSError."""
    return read_goods(json.loads(path.read_text(encoding="utf-8"))) if path else default_goods()
