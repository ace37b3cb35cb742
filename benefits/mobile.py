"""Mainland mobile numbers: cleaning, grouping, masking, and the carrier that a prefix suggests."""

import re
import unicodedata

MOBILE = re.compile(r"^1[3-9]\d{9}\Z")
_NOISE = re.compile(r"[\s\-()（）\u200b-\u200f\u202a-\u202e\u2060\ufeff]")
_COUNTRY = re.compile(r"^(\+86|0086|86)(?=1\d{10}\Z)")

# Advice, never a reason to reject: since number portability a prefix does not tell the carrier.
# Three digits, or four for the shared virtual ranges (162, 165, 167, 170, 171); source: MIIT number allocations.
_PREFIXES = {
    "telecom": "133 149 153 162 173 177 180 181 189 190 191 193 199 1700 1701 1702 1349",
    "mobile": "134 135 136 137 138 139 147 148 150 151 152 157 158 159 165 172 178 182 183 184 187 188 195 197 198"
    " 1703 1705 1706",
    "unicom": "130 131 132 145 146 155 156 166 167 171 175 176 185 186 196 1704 1707 1708 1709",
    "broadnet": "192",
}
CARRIER_OF_PREFIX = {
    prefix: carrier for carrier, prefixes in _PREFIXES.items() for prefix in prefixes.split()
}


def clean(text: str) -> str | None:
    """The 11 digits of a mainland mobile number however it was typed or pasted, or None."""
    digits = _COUNTRY.sub("", _NOISE.sub("", unicodedata.normalize("NFKC", text)))
    return digits if digits.isascii() and MOBILE.match(digits) else None


def carrier(mobile: str) -> str:
    """The carrier that the number's prefix suggests (mobile, unicom, telecom, broadnet), or an empty string."""
    return CARRIER_OF_PREFIX.get(mobile[:4]) or CARRIER_OF_PREFIX.get(mobile[:3], "")


def grouped(mobile: str) -> str:
    """138 0013 8000."""
    return f"{mobile[:3]} {mobile[3:7]} {mobile[7:]}" if len(mobile) == 11 else mobile


def masked(mobile: str) -> str:
    """138 **** 8000."""
    return f"{mobile[:3]} **** {mobile[7:]}" if len(mobile) == 11 else ("*" * len(mobile))
