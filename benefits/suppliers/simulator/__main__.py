"""Run a simulated supplier: `python -m benefits.suppliers.simulator --port 9100`."""

import argparse
import sys

from . import command, faults, server


def main() -> int:
    """Read the command line and serve; 2 on bad usage."""
    parser = argparse.ArgumentParser(
        prog="python -m benefits.suppliers.simulator",
        description="A supplier as a separate HTTP process, with faults on demand and a truth file.",
        epilog="Faults:\n" + "\n".join(f"  {line}" for line in faults.names()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_arguments(parser)
    try:
        options = command.read_options(parser.parse_args())
    except command.BadOptions as error:
        parser.error(str(error))
    return server.run(options)


if __name__ == "__main__":
    sys.exit(main())
