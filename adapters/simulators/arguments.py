"""What every authority in a box is told on its command line."""

import argparse
from collections.abc import Mapping


def parser_for(name: str, description: str, behaviours: Mapping[str, str]) -> argparse.ArgumentParser:
    """Return the options of `kouan simulate NAME`: its settings, how it behaves, and its book."""
    parser = argparse.ArgumentParser(prog=f"kouan simulate {name}", description=description)
    parser.add_argument("--config", required=True, help="the TOML file")
    told = "; ".join(f"{behaviour}: {what}" for behaviour, what in behaviours.items())
    parser.add_argument("--behaviour", action="append", default=[], metavar="NAME[=ARG]", help=told)
    parser.add_argument("--book", action="store_true", help="print the book and end")
    parser.add_argument("--json", action="store_true", help="print the book as JSON Lines")
    return parser
