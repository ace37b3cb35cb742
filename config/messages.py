"""Translations: compile the catalogues, and find the sentences that have no Chinese yet.

`python -m config.messages compile | check | missing`
"""

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import polib

BASE = Path(__file__).resolve().parent.parent
LOCALE = BASE / "locale"
AREAS = (
    "core",
    "portal",
    "company",
    "platform",
    "roster",
)  # a later one wins where two hold the same sentence
SOURCES = ("benefits", "cms", "config", "reports", "tenants", "templates")
LANGUAGE = "zh_Hans"

# xgettext's keywords as Django's own makemessages gives them.
_KEYWORDS = (
    "gettext_noop",
    "gettext_lazy",
    "ngettext_lazy:1,2",
    "pgettext:1c,2",
    "npgettext:1c,2,3",
    "pgettext_lazy:1c,2",
    "npgettext_lazy:1c,2,3",
)
_PLACEHOLDER = re.compile(r"%\((\w+)\)[#0\- +]?[\d.]*[diouxXeEfFgGcrsa]|(?<!\{)\{(\w+)[^{}]*\}(?!\})")
_UNNAMED = re.compile(r"(?<!%)%[sdfr]|(?<!\{)\{\}(?!\})")

Key = tuple[str, str]  # context, sentence


def catalogue_paths() -> list[Path]:
    """The .po file of every area that has one."""
    return sorted(LOCALE.glob(f"*/{LANGUAGE}/LC_MESSAGES/django.po"))


def compile_catalogues() -> list[Path]:
    """Write the .mo of each .po that is newer than it; return those written."""
    written = []
    for path in catalogue_paths():
        target = path.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= path.stat().st_mtime:
            continue
        unfinished = target.with_suffix(".mo.new")  # a running server may be reading the old one
        polib.pofile(str(path)).save_as_mofile(str(unfinished))
        unfinished.replace(target)
        written.append(target)
    return written


def sentences() -> polib.POFile:
    """Every sentence that the code and the templates mark for translation, with the places that use it."""
    with tempfile.TemporaryDirectory(prefix="mall-messages-") as folder:
        files = "\n".join(_prepared(Path(folder)))
        done = subprocess.run(
            [
                "xgettext",
                "--files-from=-",
                "--output=-",
                "--language=Python",
                "--from-code=UTF-8",
                *(f"--keyword={keyword}" for keyword in _KEYWORDS),
            ],
            cwd=folder,
            input=files,
            capture_output=True,
            text=True,
        )
    if done.returncode:
        sys.exit(f"xgettext failed: {done.stderr.strip()}")
    return polib.pofile(done.stdout) if done.stdout else polib.POFile()


def problems() -> tuple[list[polib.POEntry], list[str]]:
    """The sentences without a translation, and what is wrong with the translations that there are."""
    translations: dict[Key, polib.POEntry] = {}
    wrong = []
    for path in catalogue_paths():
        for entry in polib.pofile(str(path)):
            if entry.obsolete or entry.fuzzy or not _texts(entry):
                continue
            earlier = translations.setdefault(_key(entry), entry)
            if _texts(earlier) != _texts(entry):
                wrong.append(
                    f"{_name(path)}: {entry.msgid!r} is translated differently in another area; use a context"
                )
            if _placeholders(entry.msgid, entry.msgid_plural) != _placeholders(*_texts(entry)):
                wrong.append(
                    f"{_name(path)}: {entry.msgid!r} and its translation differ in their placeholders"
                )
    missing = []
    for entry in sentences():
        if _key(entry) not in translations:
            missing.append(entry)
        if _UNNAMED.search(entry.msgid):
            wrong.append(f"{_places(entry)}: {entry.msgid!r} has a placeholder without a name")
    return missing, wrong


def _prepared(folder: Path) -> Iterator[str]:
    """Write what xgettext shall read under `folder`, templates turned into Python; yield the file names."""
    from django.utils.translation import templatize

    for source in _sources():
        text = source.read_text(encoding="utf-8")
        name = source.relative_to(BASE)
        if source.suffix != ".py":
            text = templatize(text, origin=str(name))
        copy = folder / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(text, encoding="utf-8")
        yield str(name)


def _sources() -> Iterator[Path]:
    for top in SOURCES:
        for path in sorted((BASE / top).rglob("*")):
            if path.suffix in (".py", ".html", ".txt", ".xml") and not {"migrations", "__pycache__"} & set(
                path.parts
            ):
                yield path


def _key(entry: polib.POEntry) -> Key:
    return entry.msgctxt or "", entry.msgid


def _texts(entry: polib.POEntry) -> list[str]:
    texts = list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]
    return texts if all(text.strip() for text in texts) else []


def _placeholders(*texts: str) -> set[str]:
    return {name or other for text in texts for name, other in _PLACEHOLDER.findall(text)}


def _name(path: Path) -> str:
    return str(path.relative_to(BASE))


def _places(entry: polib.POEntry) -> str:
    return ", ".join(f"{file}:{line}" for file, line in entry.occurrences)


def _print_missing(entries: Iterable[polib.POEntry]) -> None:
    """As they stand in a .po file, by place, so that they can be pasted into one."""
    for entry in sorted(entries, key=lambda entry: entry.occurrences):
        print(entry)


def main(arguments: list[str]) -> int:
    """The command line: 0 where all is well, 1 where a translation is missing or wrong, 2 on wrong usage."""
    if len(arguments) != 1 or arguments[0] not in ("compile", "check", "missing"):
        print("usage: python -m config.messages compile | check | missing", file=sys.stderr)
        return 2
    if arguments[0] == "compile":
        compile_catalogues()
        return 0
    missing, wrong = problems()
    if arguments[0] == "missing":
        _print_missing(missing)
        return 0
    for entry in missing:
        print(f"{_places(entry)}: {entry.msgid!r} has no Chinese translation", file=sys.stderr)
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if missing or wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
