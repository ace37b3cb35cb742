"""`python -m tests.storm.fuzz [SECONDS]`: damaged rosters of every kind, read as fast as they can be made.

Whole files in layouts by chance, the collection of rosters, and the parts inside packages are bent, cut and mixed.
Each must get an answer within its limits: people or a rejection, never a traceback, never a hang. Prints JSON; exits
1 if one did not. SEED= (or --seed) repeats a run's choices.

A child reads many files in one process, so that thousands a minute are tried; where it dies or hangs, the file it
was at is read again alone, in the sandbox that real uploads are read in, and that answer counts.
"""

import argparse
import io
import json
import os
import random
import secrets
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
ROSTERS = Path(os.environ.get("ROSTERS_DIR") or ROOT / "tests" / "fixtures" / "rosters")
BATCH = 200  # files a child
CHILD_SECONDS = 120
MOST_SOURCE_BYTES = 60_000
_PIECES = (
    b"<", b">", b"/>", b"</c>", b"<c", b"<row", b'r="A1"', b'r="XFD1048576"', b't="s"', b't="e"', b"<v>-1</v>", b"\0",
    b"\xff\xff\xff\xff", b"&amp;", b"<!--", b"<![CDATA[", b"]]>", b"<!DOCTYPE x>", b'"', b"1e999", b"99999999999999999999",
    b"\xe5", b"hidden=\"1\"", b'<mergeCell ref="A1:XFD1048576"/>', "工号".encode(), "姓名".encode("gbk"), b"\r", b"=\"",
)  # fmt: skip


def main(arguments: list[str]) -> int:
    """Read damaged files for some seconds."""
    parser = argparse.ArgumentParser(prog="python -m tests.storm.fuzz", description=__doc__)
    parser.add_argument("seconds", nargs="?", type=float, default=180.0, help="how long (180)")
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED") or secrets.randbelow(10**6)))
    parser.add_argument("--child", nargs=2, metavar=("SEED", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.child:
        _child(int(options.child[0]), Path(options.child[1]))
        return 0
    found = _run(options.seed, options.seconds)
    print(json.dumps(found, indent=2, ensure_ascii=False))
    return 1 if found["failures"] else 0


def _run(seed: int, seconds: float) -> dict[str, object]:
    files, deaths, batch = 0, 0, seed * 1_000_000
    outcomes: dict[str, int] = {}
    failures: list[dict[str, object]] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until and len(failures) < 10:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            tried, failed, died = _batch(batch, folder, outcomes)
            files += tried
            deaths += died
            failures += [{"seed": batch, **failure} for failure in failed]
        batch += 1
    return {
        "seed": seed,
        "files": files,
        "children_that_died": deaths,
        "outcomes": outcomes,
        "failures": failures,
    }


def _batch(seed: int, folder: Path, outcomes: dict[str, int]) -> tuple[int, list[dict[str, object]], int]:
    """(files tried, failures, whether the child died) of one child's run."""
    command = [sys.executable, "-m", "tests.storm.fuzz", "--child", str(seed), str(folder)]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=CHILD_SECONDS, check=False)
        output, why = done.stdout, done.stderr.decode(errors="replace")[-800:]
        died = done.returncode != 0
    except subprocess.TimeoutExpired as error:
        output, why, died = error.stdout or b"", "time", True
    lines = output.decode(errors="replace").splitlines()
    failures: list[dict[str, object]] = []
    for line in lines:
        answer = json.loads(line)
        outcomes[answer["outcome"]] = outcomes.get(answer["outcome"], 0) + 1
        if answer["outcome"] == "raised":
            failures.append(answer)
    if died:
        failures += _again(folder / "file", why, outcomes)
    return len(lines) + died, failures, int(died)


def _again(path: Path, why: str, outcomes: dict[str, int]) -> list[dict[str, object]]:
    """The file at which a child died, read as an upload is."""
    from benefits.roster import sandbox

    started = time.monotonic()
    found = sandbox.check_file(path)
    took = time.monotonic() - started
    kept = ROOT / "var" / "fuzz" / f"{int(time.time())}"
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(path.read_bytes())
    outcomes["died_alone_answered"] = outcomes.get("died_alone_answered", 0) + 1
    if found.outcome in ("ok", "rejected") and took < sandbox.ALLOWANCE.wall_seconds + 5:
        return []
    return [{"outcome": found.outcome, "seconds": took, "why": why, "kept": str(kept)}]


def _child(seed: int, folder: Path) -> None:
    """Make and read a batch of files, a line of JSON for each."""
    import resource

    from benefits.roster import pipeline

    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
    chance = random.Random(seed)
    sources = _sources(folder)
    path = folder / "file"
    for number in range(BATCH):
        path.write_bytes(_made(chance, sources, folder))
        try:
            found = pipeline.checked(path)
            answer = {"outcome": found.reject_code or found.outcome}
        except MemoryError:
            answer = {"outcome": "memory"}
        except BaseException as error:
            # The sandbox turns what a parser raises into a rejection; our own steps may raise nothing.
            is_parser = type(error).__name__ == "PanicException"
            answer = {
                "outcome": "panic" if is_parser else "raised",
                "number": str(number),
                "error": repr(error)[:300],
            }
        print(json.dumps(answer), flush=True)


def _sources(folder: Path) -> list[bytes]:
    return [
        path.read_bytes()
        for path in sorted(ROSTERS.glob("s*"))
        if path.suffix != ".json" and path.stat().st_size < MOST_SOURCE_BYTES
    ]


def _made(chance: random.Random, sources: list[bytes], folder: Path) -> bytes:
    from tests.unit.roster import layouts

    if chance.random() < 0.5:
        whole = layouts.write(layouts.draw(chance), folder / "whole").read_bytes()
    else:
        whole = chance.choice(sources)
    return mutated(whole, chance)


def mutated(data: bytes, chance: random.Random) -> bytes:
    """The bytes, damaged: a package mostly in one of its parts, anything else as it is."""
    if data[:2] == b"PK" and chance.random() < 0.8:
        return _with_damaged_part(data, chance)
    return damaged(data, chance)


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Some bytes turned, cut, doubled, moved, or put in."""
    found = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 4, 16])):
        if not found:
            break
        at = chance.randrange(len(found))
        length = chance.choice([1, 2, 8, 64, 1024])
        what = chance.randrange(7)
        if what == 0:
            found[at] ^= 1 << chance.randrange(8)
        elif what == 1:
            del found[at : at + length]
        elif what == 2:
            found[at:at] = found[at : at + length] * chance.choice([1, 2, 50])
        elif what == 3:
            del found[at:]
        elif what == 4:
            other = chance.randrange(len(found))
            found[at : at + length] = found[other : other + length]
        else:
            piece = chance.choice(_PIECES)
            found[at : at + (len(piece) if what == 5 else 0)] = piece
    return bytes(found)


def _with_damaged_part(data: bytes, chance: random.Random) -> bytes:
    """The package written anew around one part that was damaged, left out, or swapped for another."""
    out = io.BytesIO()
    try:
        with (
            zipfile.ZipFile(io.BytesIO(data)) as source,
            zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
        ):
            names = [name for name in source.namelist() if source.getinfo(name).file_size < 1_000_000]
            victim = chance.choice(names)
            for name in names:
                part = source.read(name)
                if name == victim:
                    what = chance.random()
                    if what < 0.05:
                        continue
                    part = source.read(chance.choice(names)) if what < 0.1 else damaged(part, chance)
                target.writestr(name, part)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, ValueError, IndexError):
        return damaged(data, chance)
    return out.getvalue()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
