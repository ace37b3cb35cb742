"""The command line of the simulator, shared by `python -m benefits.suppliers.simulator` and manage.py."""

import argparse
from pathlib import Path

from . import faults
from .goods import load_goods
from .server import BALANCE_FEN, Options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of a simulator."""
    parser.add_argument("--port", type=int, required=True, help="port to listen on; 0 takes a free one")
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: this machine only)"
    )
    parser.add_argument("--seed", type=int, default=1, help="makes the faults repeatable (default 1)")
    parser.add_argument(
        "--faults",
        default="none",
        metavar="PROFILE",
        help=f"a profile ({', '.join(faults.PROFILES)}), faults as name[=rate],…, or a JSON object",
    )
    parser.add_argument(
        "--state", type=Path, default=Path("var/simulator"), metavar="DIR", help="where its books are"
    )
    parser.add_argument(
        "--callback-url", default="", metavar="URL", help="where to call back orders that name no URL"
    )
    parser.add_argument(
        "--goods", type=Path, metavar="FILE", help="JSON list of products instead of the demo's"
    )
    parser.add_argument(
        "--balance", type=int, default=BALANCE_FEN, metavar="FEN", help="opening balance in fen"
    )
    parser.add_argument(
        "--settle-after", type=float, metavar="SECONDS", help="how long a top-up takes (default 1)"
    )
    parser.add_argument(
        "--answer-after", type=float, metavar="SECONDS", help="how long an answer takes (default 0)"
    )


class BadOptions(ValueError):
    """An option that cannot be used; the text says which and why."""


def read_options(values: argparse.Namespace) -> Options:
    """Turn parsed arguments into options. Raises BadOptions."""
    if not 0 <= values.port <= 65535:
        raise BadOptions(f"--port: {values.port} is not a port")
    try:
        profile = faults.parse(values.faults, seed=values.seed)
        goods = load_goods(values.goods)
    except faults.BadFaults as error:
        raise BadOptions(f"--faults: {error}") from None
    except (OSError, ValueError, TypeError) as error:
        raise BadOptions(f"--goods: {error}") from None
    changed = {
        name: value
        for name in ("settle_after", "answer_after")
        if (value := getattr(values, name)) is not None
    }
    profile.settings = faults.Settings(
        **{name: getattr(profile.settings, name) for name in faults.Settings.__slots__} | changed
    )
    return Options(
        port=values.port,
        host=values.host,
        state=values.state,
        faults=profile,
        goods=goods,
        callback_url=values.callback_url,
        balance_fen=values.balance,
    )
