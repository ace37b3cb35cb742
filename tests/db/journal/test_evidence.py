"""Evidence packs: whatever is done to one, the verifier names where; and nothing personal is in it."""

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import call_command

from benefits.fulfilment.models import CardCode
from benefits.journal import evidence, keys, operations, statements, verify
from benefits.journal.errors import NothingSealed, PackTooLarge
from benefits.journal.models import Checkpoint
from benefits.orders.models import Order
from benefits.people.models import Employee
from benefits.roster import staff
from tenants import audit
from tenants.db import connection, transaction
from tests import factories
from tests.db.journal.conftest import LATER, NOW

Verified = Callable[..., tuple[int, str]]
MINUTE = timedelta(minutes=1)


def test_a_pack_verifies_as_folder_and_as_zip(pack: Path, verified: Verified, tmp_path: Path) -> None:
    assert sorted(path.name for path in pack.iterdir()) == sorted([*evidence.FILES, "manifest.json"])
    last = Checkpoint.objects.latest("number").last
    assert verified(pack) == (
        0,
        f"OK  acme: records 1 to {last}, 2 checkpoints, 0 own anchors,"
        " whole from the beginning until 2026-03-02T12:55:00.000000Z;"
        " compare the id of the key with the one in your mail\n",
    )
    with (tmp_path / "pack.zip").open("wb") as file:
        evidence.zipped(pack, file)
    assert verified(tmp_path / "pack.zip", "--keys", pack / "keys.json")[0] == 0


def test_the_packs_own_program_verifies_it_alone(pack: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", "verify.py", "."], cwd=pack, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout[:2]) == (0, "OK"), done.stderr


def test_what_is_no_pack(verified: Verified, tmp_path: Path, pack: Path) -> None:
    assert verified(tmp_path / "nothing")[0] == 2
    (tmp_path / "not.zip").write_bytes(b"PK not really")
    assert verified(tmp_path / "not.zip")[0] == 1
    for name in evidence.FILES:
        folder = tmp_path / f"without {name}"
        shutil.copytree(pack, folder)
        (folder / name).unlink()
        code, said = verified(folder)
        assert (code, name in said) == (1, True), said


def test_every_byte_of_a_pack_counts(pack: Path) -> None:
    """Each byte of each file in turn, one bit of it flipped; of the program and the text a sample."""
    files = {path.name: path.read_bytes() for path in pack.iterdir()}
    drawn = random.Random(6962)
    tried = 0
    for name, data in files.items():
        lines = data[:].split(b"\n")
        starts = [sum(len(line) + 1 for line in lines[:n]) for n in range(len(lines))]
        for place in _places(name, len(data), drawn):
            changed = bytearray(data)
            changed[place] ^= 1 << drawn.randrange(8)
            said = _flaw({**files, name: bytes(changed)})
            tried += 1
            if name == "journal.jsonl":
                line = max(n for n, start in enumerate(starts) if start <= place) + 1
                # A line break that is gone joins a line to the next; it is named by the line that it ends.
                assert f"journal.jsonl line {line}, " in said or place == len(data) - 1, (place, said)
            else:
                assert name in said, (name, place, said)
    assert tried > 5_000


def _places(name: str, size: int, drawn: random.Random) -> Iterator[int]:
    if name in ("verify.py", "README.txt"):
        yield from sorted(drawn.sample(range(size), 150))
    elif name == "manifest.json":
        yield from range(0, size, 3)
    else:
        yield from range(size)


def _flaw(files: dict[str, bytes]) -> str:
    try:
        verify.check_pack(files.__getitem__, {}, [], False)
    except verify.Flaw as flaw:
        return str(flaw)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        return repr(error)
    return "nothing was found"


def _edit(lines: list[bytes]) -> None:
    lines[3] = lines[3].replace(b'"fen":', b'"fen":1', 1)


def _delete(lines: list[bytes]) -> None:
    del lines[3]


def _insert(lines: list[bytes]) -> None:
    lines.insert(3, lines[5])


def _swap(lines: list[bytes]) -> None:
    lines[3], lines[4] = lines[4], lines[3]


@pytest.mark.parametrize("change", [_edit, _delete, _insert, _swap])
def test_a_changed_journal_is_named_by_line(pack: Path, verified: Verified, change: Any) -> None:
    """The files' digests are left as they are, or made anew: the chain finds it either way."""
    lines = (pack / "journal.jsonl").read_bytes().splitlines(keepends=True)
    change(lines)
    (pack / "journal.jsonl").write_bytes(b"".join(lines))
    code, said = verified(pack)
    assert (code, "journal.jsonl line 4, record 4:" in said) == (1, True), said


def test_a_cut_tail_is_found_by_an_anchor_of_ones_own(
    order: Order, verified: Verified, tmp_path: Path
) -> None:
    """The platform's own database was cut and exported anew: the pack is sound, and the mail is not in it."""
    anchor = _mailed(tmp_path)
    _guards_off()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM journal_entry WHERE seq > (SELECT min(last) FROM journal_checkpoint)")
        cursor.execute("DELETE FROM journal_checkpoint WHERE number = 2")
    evidence.export(tmp_path / "pack", since=None, until=None, at=LATER)

    assert verified(tmp_path / "pack")[0] == 0
    code, said = verified(tmp_path / "pack", "--anchor", anchor)
    assert (code, "records were cut off" in said) == (1, True), said


def test_everything_recomputed_with_the_key_is_found_by_an_anchor(
    order: Order, verified: Verified, tmp_path: Path
) -> None:
    anchor = _mailed(tmp_path)
    _guards_off()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM journal_checkpoint; DELETE FROM journal_entry")
        cursor.execute("UPDATE identity_auditevent SET actor_id = 7 WHERE action = 'order.placed'")
    operations.seal(at=NOW)
    with transaction():
        audit.record("x", "company:acme", actor=None, at=NOW)
    operations.seal(at=NOW + MINUTE)
    evidence.export(tmp_path / "pack", since=None, until=None, at=LATER)

    assert verified(tmp_path / "pack")[0] == 0
    code, said = verified(tmp_path / "pack", "--anchor", anchor)
    assert (code, "the anchor of checkpoint 2 has another hash" in said) == (1, True), said


def test_everything_recomputed_with_another_key_is_found_by_the_signature(
    pack: Path, verified: Verified
) -> None:
    kept = pack.parent / "kept-keys.json"
    shutil.copyfile(pack / "keys.json", kept)
    _forge(pack)
    assert verified(pack)[0] == 0  # in itself it is sound
    code, said = verified(pack, "--keys", kept)
    assert (code, "none of the keys" in said) == (1, True), said


def test_everything_recomputed_without_any_key_is_found(pack: Path, verified: Verified) -> None:
    """The forger fills in whatever can be computed, and has to leave the signatures as they were."""
    _forge(pack, sign=lambda statement: {**statement, "key": keys.current().id, "signature": "00" * 64})
    code, said = verified(pack)
    assert (code, "the signature is wrong" in said) == (1, True), said


def _forge(folder: Path, sign: Callable[[dict[str, Any]], dict[str, Any]] | None = None) -> None:
    """One amount changed and everything that follows from it computed anew."""
    secret = Ed25519PrivateKey.generate()
    public = secret.public_key().public_bytes_raw()
    key = verify.sha256(public).hex()[:16]

    def signed(statement: dict[str, Any]) -> dict[str, Any]:
        whole = {**statement, "key": key}
        return {**whole, "signature": secret.sign(b"benefits-mall\n" + verify.canonical(whole)).hex()}

    sign = sign or signed
    found = [json.loads(line)["record"] for line in (folder / "journal.jsonl").read_bytes().splitlines()]
    next(record for record in found if record["kind"] == "posting")["fen"] += 1
    texts = [verify.canonical(record) for record in found]
    heads = [verify.start("acme")]
    for text in texts:
        heads.append(verify.link(heads[-1], text))
    points = json.loads((folder / "checkpoints.json").read_bytes())["checkpoints"]
    previous = heads[0]
    for place, point in enumerate(points):
        body = {name: value for name, value in point.items() if name not in ("key", "signature")}
        leaves = [verify.leaf(text) for text in texts[body["first"] - 1 : body["last"]]]
        body |= {
            "root": verify.root(leaves).hex(),
            "head": heads[body["last"]].hex(),
            "previous": previous.hex(),
        }
        points[place] = sign(body)
        previous = verify.sha256(verify.canonical(points[place]))
    _put(folder / "checkpoints.json", {"checkpoints": points})
    if sign is signed:
        _put(folder / "keys.json", {"keys": [{"id": key, "public": public.hex()}]})
    lines = [
        verify.canonical({"hash": head.hex(), "record": record})
        for head, record in zip(heads[1:], found, strict=True)
    ]
    (folder / "journal.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))
    manifest = json.loads((folder / "manifest.json").read_bytes())
    body = {name: value for name, value in manifest.items() if name not in ("key", "signature")}
    body["files"] = {name: verify.sha256((folder / name).read_bytes()).hex() for name in body["files"]}
    _put(folder / "manifest.json", sign(body))


def _put(path: Path, value: Any) -> None:
    path.write_bytes(verify.canonical(value) + b"\n")


def _mailed(folder: Path) -> Path:
    """The attachment of the mail about the last checkpoint, as somebody kept it."""
    path = folder / "anchor.json"
    _put(path, statements.signed(Checkpoint.objects.latest("number")))
    return path


def _guards_off() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in ("points_posting", "identity_auditevent", "journal_entry", "journal_checkpoint"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")


def test_an_anchor_of_ones_own_holds_for_a_sound_pack(pack: Path, verified: Verified, tmp_path: Path) -> None:
    code, said = verified(pack, "--anchor", _mailed(tmp_path))
    assert (code, "1 own anchors" in said) == (0, True), said


def test_a_pack_may_begin_in_the_middle_and_end_before_the_end(
    order: Order, verified: Verified, tmp_path: Path
) -> None:
    anchors = []
    for day in range(1, 4):
        at = NOW + timedelta(days=day)
        with transaction():
            audit.record("x", "company:acme", actor=None, at=at)
        operations.seal(at=at + MINUTE)
        path = tmp_path / f"anchor{day}.json"
        _put(path, statements.signed(Checkpoint.objects.latest("number")))
        anchors += ["--anchor", path]
    start = datetime(2026, 3, 3, 16, tzinfo=UTC)  # midnight in Shanghai
    made = evidence.export(
        tmp_path / "day", since=start, until=start + timedelta(days=1), at=NOW + timedelta(days=9)
    )
    assert (made.checkpoints, made.last - made.first) == (1, 0)
    stated = json.loads((tmp_path / "day" / "checkpoints.json").read_bytes())["checkpoints"]
    assert [one["number"] for one in stated] == [3, 4]
    assert verified(tmp_path / "day", *anchors)[0] == 0

    late = datetime(2026, 4, 1, tzinfo=UTC)
    with pytest.raises(NothingSealed):
        evidence.export(tmp_path / "none", since=late, until=late + timedelta(days=1), at=late)
    with pytest.raises(PackTooLarge):
        evidence.export(tmp_path / "much", since=None, until=None, at=late, most=3)


def test_a_record_that_is_gone_is_a_flaw_of_the_pack(
    order: Order, verified: Verified, tmp_path: Path
) -> None:
    _guards_off()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM identity_auditevent WHERE action = 'order.placed'")
    evidence.export(tmp_path / "pack", since=None, until=None, at=LATER)
    code, said = verified(tmp_path / "pack")
    assert (code, "the record was changed" in said) == (1, True), said


def test_nothing_personal_is_in_a_pack(alice: Employee, tmp_path: Path) -> None:
    """Names, mobiles, codes, addresses, user names and mail addresses, wherever they were written to."""
    token = audit.client_address.set("203.0.113.77")
    values: dict[str, Any] = {"name": "王小雨改", "mobile": "13911112222", "department": "技术中心"}
    staff.edit(employee=alice, values=values, seen=alice.updated_at, actor=None, at=NOW)
    with transaction():
        audit.record("x", alice, actor=None, at=NOW, name="王小雨", mobile=13911112222, secret_fen="secret-1")
        audit.record(
            "department.added", "people.department:技术中心", actor=None, at=NOW, path="技术中心/后端组"
        )
    audit.client_address.reset(token)
    card = factories.redeem(alice, "jd-50", account="")
    factories.deliver(card)
    factories.deliver(factories.redeem(alice))
    factories.settle()
    operations.seal_all(at=NOW)
    evidence.export(tmp_path / "pack", since=None, until=None, at=LATER)
    whole = b"".join(
        path.read_bytes() for path in sorted((tmp_path / "pack").iterdir()) if path.suffix != ".txt"
    )

    assert CardCode.objects.exists()
    personal = [
        alice.name, alice.mobile, factories.MOBILE, "13911112222", "王小雨", "技术中心", "203.0.113.77", "owner@", "secret-",
        alice.employee_no, *[code.secret for code in CardCode.objects.all() if hasattr(code, "secret")],
    ]  # fmt: skip
    assert [text for text in personal if text and str(text).encode() in whole] == []


def test_the_command_writes_a_pack_for_a_period(order: Order, verified: Verified, tmp_path: Path) -> None:
    folder = tmp_path / "by command"
    call_command(
        "export_evidence", "acme", str(folder), "--from", "2026-01-01", "--to", "2026-12-31", "--json"
    )
    assert verified(folder)[0] == 0
    with pytest.raises(SystemExit) as stop:
        call_command("export_evidence", "acme", str(folder), "--json")
    assert stop.value.code == 2
    for bad in (["--from", "yesterday"], ["--from", "2026-05-01", "--to", "2026-04-01"]):
        with pytest.raises(SystemExit) as stop:
            call_command("export_evidence", "acme", str(tmp_path / "no"), *bad)
        assert stop.value.code == 2
