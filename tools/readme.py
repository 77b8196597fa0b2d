"""Makes the README's table of functions from the table of activations: `python -m tools.readme [--check]`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import fastact
from fastact.zoo.facts import signature

README = Path(__file__).parents[1] / "README.md"
BLOCK = re.compile(r"(<!-- functions: begin -->\n).*(<!-- functions: end -->)", re.DOTALL)


def table() -> str:
    """One row for each activation: how it is called, what it is, where its values lie."""
    rows = ["| function | definition | range |", "|---|---|---|"]
    for record in fastact.activations.values():
        formula = record.formula.replace("|", "\\|")
        rows.append(f"| `{signature(record)}` | `{formula}` | {record.range} |")
    return "\n".join(rows) + "\n"


def main(arguments: list[str]) -> int:
    """Rewrites the block, or only says whether it would change."""
    text = README.read_text()
    renewed = BLOCK.sub(lambda found: found[1] + table() + found[2], text)
    if "--check" in arguments:
        if renewed != text:
            print("the README's table of functions does not follow from the records: run `make readme`")
        return renewed != text
    README.write_text(renewed)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
