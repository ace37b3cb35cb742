"""Verify an evidence pack or a receipt of the sealed journal offline, with Python 3.10 or later and nothing else.

python verify.py PACK [--keys keys.json] [--anchor FILE ...] [--every]     PACK is the folder or the .zip
python verify.py receipt.json --keys keys.json
Exit 0: everything holds. 1: a flaw, named by file, line and record. 2: there is nothing that could be verified.
"""

import argparse
import functools
import hashlib
import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

V, P, L = b"1", 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D, SAMPLE = -121665 * pow(121666, -1, P) % P, 200
Point = tuple[int, int, int, int]


class Flaw(Exception): ...


def claim(holds: object, text: str) -> None:
    if not holds:
        raise Flaw(text)


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def start(company: str) -> bytes:  # what the first record of a company follows
    return sha256(V + b"journal of " + company.encode())


def link(before: bytes, record: bytes) -> bytes:  # the chain
    return sha256(V + before + record)


def leaf(record: bytes) -> bytes:  # the tree of a checkpoint, as RFC 6962 has it
    return sha256(b"\0" + record)


def root(level: list[bytes]) -> bytes:
    while len(level) > 1:
        pairs = [sha256(b"\1" + a + b) for a, b in zip(level[::2], level[1::2], strict=False)]
        level = pairs + level[len(pairs) * 2 :]
    return level[0]


def climb(found: bytes, index: int, last: int, path: list[bytes]) -> bytes:  # RFC 9162, 2.1.3.2
    claim(0 <= index <= last, "a record is not among those of its checkpoint")
    for one in path:
        claim(last, "the path of a record is too long")
        found = sha256(b"\1" + (one + found if index & 1 or index == last else found + one))
        while index == last and index and not index & 1:
            index, last = index >> 1, last >> 1
        index, last = index >> 1, last >> 1
    claim(last == 0, "the path of a record is too short")
    return found


def add(p: Point, q: Point) -> Point:  # on the curve of RFC 8032
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    return (b - a) * (d - c) % P, (d + c) * (b + a) % P, (d - c) * (d + c) % P, (b - a) * (b + a) % P


def times(number: int, point: Point) -> Point:
    found = (0, 1, 1, 0)
    while number:
        found = add(found, point) if number & 1 else found
        point, number = add(point, point), number >> 1
    return found


def decoded(data: bytes) -> Point | None:
    y, odd = int.from_bytes(data, "little") & ((1 << 255) - 1), data[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * pow(2, (P - 1) // 4, P) % P
    if y >= P or x * x % P != square or (x == 0 and odd):
        return None
    x = x if x & 1 == odd else P - x
    return x, y, 1, x * y % P


@functools.lru_cache(4096)
def ed25519(public: bytes, message: bytes, signature: bytes) -> bool:
    if (len(public), len(signature)) != (32, 64):
        return False
    key, point, s = decoded(public), decoded(signature[:32]), int.from_bytes(signature[32:], "little")
    if key is None or point is None or s >= L:
        return False
    digest = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    base = decoded((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
    ours, theirs = times(s, base), add(point, times(digest, key))  # type: ignore[arg-type]
    return all((ours[i] * theirs[2] - theirs[i] * ours[2]) % P == 0 for i in (0, 1))


def parsed(data: bytes, name: str) -> dict:
    try:  # there is one way to write it, so that no byte differs unseen
        value = json.loads(data)
        claim(canonical(value) + b"\n" == data, "")
    except (Flaw, ValueError, RecursionError):
        raise Flaw(f"{name}: this is not what was written") from None
    return value


def keys_in(data: bytes, name: str) -> dict[str, bytes]:
    try:
        keys = {one["id"]: bytes.fromhex(one["public"]) for one in parsed(data, name)["keys"]}
    except (LookupError, TypeError, ValueError):
        keys = {"": b""}
    named = all(sha256(key).hex()[:16] == known for known, key in keys.items())
    claim(named, f"{name}: a key does not have its id")
    return keys


def check_signature(signed: dict, keys: dict[str, bytes], where: str) -> None:
    body = canonical({name: value for name, value in signed.items() if name != "signature"})
    key, text = signed.get("key", ""), str(signed.get("signature"))
    claim(key in keys, f"{where}: signed with key {key}, which is none of the keys")
    signature = b"" if set(text) - set("0123456789abcdef") or len(text) % 2 else bytes.fromhex(text)
    claim(ed25519(keys[key], b"benefits-mall\n" + body, signature), f"{where}: the signature is wrong")


def check_journal(data: bytes, first: int, last: int, before: bytes) -> tuple[list[bytes], list[bytes]]:
    heads, leaves, *lines = [before], [], *data.split(b"\n")
    for number, line in enumerate(lines[:-1], 1):
        seq = first + number - 1
        where = f"journal.jsonl line {number}, record {seq}"
        try:
            value = json.loads(line)
            record, found = canonical(value["record"]), value["record"]["seq"]
            claim(b'{"hash":"%b","record":%b}' % (value["hash"].encode(), record) == line, "")
        except (Flaw, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            raise Flaw(f"{where}: this is not what was written") from None
        claim(found == seq, f"{where}: record {found} stands here; one was removed, added or moved")
        heads.append(link(heads[-1], record))
        claim(value["hash"] == heads[-1].hex(), f"{where}: the hash does not follow; the record was changed")
        leaves.append(leaf(record))
    whole = len(leaves) == last - first + 1 and not lines[-1]
    claim(whole, f"journal.jsonl: records {first} to {last} should be here")
    return heads, leaves


def check_points(
    points: list[dict], company: str, first: int, heads: list[bytes], leaves: list[bytes]
) -> None:
    ends, begins = (0, 0, start(company).hex()), True
    for one in points:
        where, since, last = (
            f"checkpoints.json: checkpoint {one['number']}",
            one["first"] - first,
            one["last"],
        )
        follows = (one["number"] - 1, one["first"] - 1, one["previous"]) == ends or (
            begins and last == first - 1
        )
        claim(follows and one["company"] == company, f"{where} does not follow the one before it")
        ends, begins = (one["number"], last, sha256(canonical(one)).hex()), False
        if last >= first:
            claim(one["head"] == heads[last - first + 1].hex(), f"{where} has another hash for record {last}")
            made = root(leaves[since : last - first + 1]).hex()
            claim(one["root"] == made, f"{where} was made of other records up to {last}")


def check_pack(read: Callable[[str], bytes], keys: dict[str, bytes], anchors: list[dict], every: bool) -> str:
    manifest = parsed(read("manifest.json"), "manifest.json")
    known = keys or keys_in(read("keys.json"), "keys.json")
    check_signature(manifest, known, "manifest.json")
    company, first, last = manifest["company"], manifest["first"], manifest["last"]
    for name in manifest["files"].keys() - {"journal.jsonl"}:
        same = sha256(read(name)).hex() == manifest["files"][name]
        claim(same, f"{name}: this is not what was written")
    points = parsed(read("checkpoints.json"), "checkpoints.json")["checkpoints"]
    before = start(company) if first == 1 else bytes.fromhex(points[0]["head"])
    heads, leaves = check_journal(read("journal.jsonl"), first, last, before)
    check_points(points, company, first, heads, leaves)
    claim(points[-1]["last"] == last, f"checkpoints.json: the last checkpoint does not end at record {last}")
    mine = {one["number"]: one for one in points}
    for one in parsed(read("anchors.json"), "anchors.json")["anchors"] + anchors:
        where, here = f"the anchor of checkpoint {one['number']}", mine.get(one["number"], {})
        cut = not here and manifest["since"] <= one["at"] < manifest["until"]
        claim(not cut, f"{where} names record {one['last']}; the pack ends at {last}, records were cut off")
        same = all(here.get(name, one[name]) == one[name] for name in ("company", "last", "head"))
        claim(same and one["company"] == company, f"{where} has another hash for record {one['last']}")
    chosen = points if every else points[:: len(points) // SAMPLE + 1] + points[-1:]
    for one in chosen:  # each covers those before it, signature and all
        check_signature(one, known, f"checkpoints.json: checkpoint {one['number']}")
    period = f"whole from {manifest['since'] or 'the beginning'} until {manifest['until']}"
    return f"{company}: records {first} to {last}, {len(points)} checkpoints, {len(anchors)} own anchors, {period}"


def check_receipt(receipt: dict, keys: dict[str, bytes]) -> str:
    claim(receipt["version"] == 1, "a receipt of another version")
    points = {one["number"]: one for one in receipt["checkpoints"]}
    for one in points.values():
        check_signature(one, keys, f"checkpoint {one['number']}")
    for one in receipt["records"]:
        point, where = points[one["checkpoint"]], f"record {one['record']['seq']}"
        path, since = [bytes.fromhex(step) for step in one["path"]], point["first"]
        made = climb(
            leaf(canonical(one["record"])), one["record"]["seq"] - since, point["last"] - since, path
        )
        same = made.hex() == point["root"] and "".join(one["path"]) == b"".join(path).hex()
        claim(same, f"{where} was changed")
        claim(point["company"] == receipt["company"], f"{where} is another company's")
    mine = {one["record"].get("reference") for one in receipt["records"]}
    claim(f"order:{receipt['order']}" in mine, f"there is no record of order {receipt['order']}")
    return f"{receipt['company']}: order {receipt['order']}, {len(receipt['records'])} records"


def opened(at: Path) -> Callable[[str], bytes]:
    return (lambda name: (at / name).read_bytes()) if at.is_dir() else zipfile.ZipFile(at).read


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("pack", type=Path, help="the folder or .zip of a pack, or a receipt's .json")
    parser.add_argument(
        "--keys", type=Path, help="the public keys that you trust, instead of those in the pack"
    )
    parser.add_argument("--anchor", type=Path, action="append", default=[], help="one from your own mailbox")
    parser.add_argument(
        "--every", action="store_true", help="check every checkpoint's signature, not some 200"
    )
    given = parser.parse_args(arguments)
    at = given.pack
    try:
        keys = keys_in(given.keys.read_bytes(), str(given.keys)) if given.keys else {}
        anchors = [parsed(path.read_bytes(), str(path)) for path in given.anchor]
        if at.suffix == ".json" and not at.is_dir():
            claim(keys, "a receipt is verified with --keys keys.json")
            said = check_receipt(parsed(at.read_bytes(), str(at)), keys)
        else:
            said = check_pack(opened(at), keys, anchors, given.every)
    except Flaw as flaw:
        print(f"FLAW  {flaw}")
        return 1
    except (OSError, zipfile.BadZipFile) as error:
        print(f"cannot be read: {error}", file=sys.stderr)
        return 1 if at.exists() else 2  # a file is missing in the pack, or there is no pack
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        print(f"FLAW  {at}: this is not what was written, or a file is missing: {error}")
        return 1
    print(f"OK  {said}" + ("" if keys else "; compare the id of the key with the one in your mail"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
