"""Names as people type them without an input method: 张三丰 is found by zhangsanfeng, zsf, sanfeng and sf."""

import functools
import os
import re
import unicodedata

LIMIT = 800  # as long as the column

# Surnames that are read in another way than the same character elsewhere; those of two characters too.
_SURNAMES = {
    "单": "shan", "解": "xie", "仇": "qiu", "曾": "zeng", "查": "zha", "任": "ren", "朴": "piao", "区": "ou",
    "盖": "ge", "种": "chong", "繁": "po", "翟": "zhai", "秘": "bi", "冼": "xian", "尉": "wei", "缪": "miao",
    "覃": "qin", "召": "shao", "隗": "wei", "祭": "zhai", "员": "yun", "贠": "yun", "洗": "xian", "哈": "ha",
    "牟": "mu", "乐": "yue", "折": "she", "黑": "he", "华": "hua", "燕": "yan", "万": "wan", "乜": "nie",
    "难": "ning", "纪": "ji", "葛": "ge", "阚": "kan", "晟": "cheng", "柏": "bai", "车": "che", "宿": "su",
    "逄": "pang", "句": "gou", "撒": "sa", "瞿": "qu", "訾": "zi", "教": "jiao", "能": "nai", "那": "na",
    "行": "xing", "重": "chong", "长": "zhang", "石": "shi", "沈": "shen", "都": "du", "藏": "zang",
    "欧阳": "ou yang", "尉迟": "yu chi", "万俟": "mo qi", "长孙": "zhang sun", "单于": "chan yu",
    "澹台": "tan tai", "司徒": "si tu", "上官": "shang guan", "诸葛": "zhu ge", "令狐": "ling hu",
    "皇甫": "huang fu", "宇文": "yu wen", "司马": "si ma", "夏侯": "xia hou", "东方": "dong fang",
    "慕容": "mu rong", "公孙": "gong sun", "轩辕": "xuan yuan", "钟离": "zhong li", "闾丘": "lv qiu",
    "南宫": "nan gong", "百里": "bai li", "呼延": "hu yan", "独孤": "du gu", "端木": "duan mu",
    "申屠": "shen tu", "赫连": "he lian", "鲜于": "xian yu", "亓官": "qi guan", "完颜": "wan yan",
    "拓跋": "tuo ba", "太史": "tai shi", "濮阳": "pu yang", "淳于": "chun yu", "西门": "xi men",
}  # fmt: skip
_HAN = re.compile("[\u4e00-\u9fff]+")
_WORDS = re.compile(r"[a-z0-9]+|[^\sa-z0-9]")


@functools.lru_cache(maxsize=16_384)
def searchable(name: str) -> str:
    """What a name is found by: ` zhangsanfeng zsf sanfeng sf`, each word after a space. Empty where nothing can be read."""
    surname, given = _syllables(name)
    whole = surname + given
    words = ["".join(whole), "".join([one[0] for one in whole])]
    if surname and given:
        words += ["".join(given), "".join([one[0] for one in given])]
    return "".join([f" {word}" for word in dict.fromkeys(words) if word])[:LIMIT]


def typed(text: str) -> str:
    """A search as it is compared with `searchable`: zhang san and ZhangSan are zhangsan; empty where it holds no Latin."""
    folded = _folded(text).replace(" ", "").replace("'", "")
    return folded if folded.isascii() and folded.isalnum() else ""


def _syllables(name: str) -> tuple[list[str], list[str]]:
    for length in (2, 1):
        if (surname := _SURNAMES.get(name[:length])) and len(name) > length:
            return surname.split(), _read(name[length:])
    first, *rest = _read(name) or [""]
    return ([first] if first else []), rest


def _read(text: str) -> list[str]:
    if _HAN.fullmatch(text):
        return [reading for one in text if (reading := _reading(one))]
    found = []
    for part in _WORDS.findall(_folded(text)):
        reading = part if part.isascii() else _reading(part)
        if reading.isalnum():
            found.append(reading)
    return found


def _folded(text: str) -> str:
    """Lower case without accents and width; ü is typed as v."""
    if text.isascii():
        return text.lower().strip()
    apart = unicodedata.normalize("NFKD", text.replace("ü", "v").replace("Ü", "v"))
    return "".join(one for one in apart if not unicodedata.combining(one)).lower().strip()


@functools.lru_cache(maxsize=32_768)
def _reading(character: str) -> str:
    """One character's most usual reading, in a to z; empty for what has none."""
    # Most processes never read a name, and none reads more than a character: without its phrases, which take most of
    # 50 MB and of a fifth of a second, the dictionary reads as well.
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
    from pypinyin import (
        Style,
        lazy_pinyin,
    )

    found = lazy_pinyin(character, style=Style.NORMAL, v_to_u=False, errors="ignore")
    reading = found[0] if found else ""
    return reading if reading.isascii() else ""
