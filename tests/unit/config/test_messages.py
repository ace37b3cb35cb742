"""Translations are found missing, and wrong ones are found out."""

from pathlib import Path

import polib
import pytest
import wagtail

from config import messages

HEAD = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n"Plural-Forms: nplurals=1; plural=0;\\n"\n\n'


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of its own: one module, one template, one area."""
    monkeypatch.setattr(messages, "BASE", tmp_path)
    monkeypatch.setattr(messages, "LOCALE", tmp_path / "locale")
    (tmp_path / "config").mkdir()
    (tmp_path / "templates").mkdir()
    (tmp_path / "config" / "x.py").write_text(
        '_("Hello %(name)s"); ngettext("%(n)d point", "%(n)d points", 2)\n'
    )
    (tmp_path / "templates" / "x.html").write_text(
        "<c-button label=\"{% translate 'Go' %}\">{% blocktranslate trimmed %}\n It costs {{ fen }}. \n{% endblocktranslate %}"
    )
    return tmp_path


def write(tree: Path, area: str, text: str) -> None:
    path = tree / "locale" / area / "zh_Hans" / "LC_MESSAGES" / "django.po"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEAD + text)


GOOD = """
msgid "Hello %(name)s"
msgstr "%(name)s，你好"

msgid "%(n)d point"
msgid_plural "%(n)d points"
msgstr[0] "%(n)d 分"

msgid "Go"
msgstr "去"

msgid "It costs %(fen)s."
msgstr "价格 %(fen)s。"
"""


def test_what_is_marked_is_found(tree):
    missing, wrong = messages.problems()
    assert {entry.msgid for entry in missing} == {"Hello %(name)s", "%(n)d point", "Go", "It costs %(fen)s."}
    assert wrong == []


def test_a_complete_translation(tree):
    write(tree, "core", GOOD)
    assert messages.problems() == ([], [])


def test_a_fuzzy_translation_is_none(tree):
    write(tree, "core", GOOD.replace('msgid "Go"', '#, fuzzy\nmsgid "Go"'))
    assert [entry.msgid for entry in messages.problems()[0]] == ["Go"]


def test_placeholders_that_differ(tree):
    write(tree, "core", GOOD.replace('msgstr "价格 %(fen)s。"', 'msgstr "价格 %(yuan)s。"'))
    assert "placeholders" in messages.problems()[1][0]


def test_two_areas_that_disagree(tree):
    write(tree, "core", GOOD)
    write(tree, "portal", 'msgid "Go"\nmsgstr "走"\n')
    assert "another area" in messages.problems()[1][0]


def test_a_placeholder_without_a_name(tree):
    (tree / "config" / "x.py").write_text('_("You have %s")\n')
    assert any("without a name" in line for line in messages.problems()[1])


def test_compiling_is_done_once(tree):
    write(tree, "core", GOOD)
    [path] = messages.compile_catalogues()
    assert polib.mofile(str(path)).find("Go").msgstr == "去"
    assert messages.compile_catalogues() == []


# Said alike in both places, by other words.
NEAR_ENOUGH = {
    "(optional)", "Action", "Actions", "All", "Change", "Continue", "Document", "Reject", "Reports", "expired",
}  # fmt: skip


def test_the_editors_pages_keep_wagtails_own_words():
    """A sentence of ours without a context is also what Wagtail's pages say where they mean something else."""
    ours = {
        entry.msgid: entry.msgstr
        for path in messages.catalogue_paths()
        for entry in polib.pofile(str(path))
        if not entry.msgctxt
    }
    catalogues = list(Path(wagtail.__file__).parent.rglob("locale/zh_Hans/LC_MESSAGES/django.mo"))
    theirs: dict[str, set[str]] = {}
    for path in catalogues:
        for entry in polib.mofile(str(path)):
            if entry.msgstr and not entry.msgctxt:
                theirs.setdefault(entry.msgid, set()).add(entry.msgstr)
    assert len(theirs) > 500
    differ = {msgid for msgid in ours.keys() & theirs.keys() if ours[msgid] not in theirs[msgid]}
    assert differ - NEAR_ENOUGH == set(), "give these a context with pgettext"
