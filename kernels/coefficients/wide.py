"""Compute the tables of wide.h: powers of 2, and functions piece by piece, each piece a polynomial of its own.

    python -m kernels.coefficients.wide            print kernels/primitives/wide_tables.h
    python -m kernels.coefficients.wide --check    verify that the file holds that

Needs mpmath. A function of a >= 0 is cut where b = 1 + scale a has another exponent or another of its next three binary
places: 32 pieces up to b = 16, the narrower the nearer to 0. On each it is c0 + u (c1 + u (c2 + ... u c5)), u = a - t.
The point t stands near the middle, where the function happens to be next to a float32 number, c0, so that nothing but
the small rest is rounded. The polynomial goes through Chebyshev's points, which is within a fraction of a bit of the
closest one.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from mpmath import mp, mpf

from kernels.coefficients import core
from kernels.coefficients.core import literal, rounded
from kernels.coefficients.self_gated import DENSITY_AT_0, tail

TARGET = core.KERNELS / "primitives" / "wide_tables.h"
PIECES = 32
PIECES_IN_OCTAVE = 8
# The bits by which b names its piece: the lowest five of exponent and mantissa, shifted down. 1 has these.
INDEX_OF_1 = (127 * PIECES_IN_OCTAVE) % PIECES
TERMS = 6
# What t's function value may be away from a float32 number, relatively; and points tried on either side of the middle.
CLOSE, CANDIDATES = mpf(2) ** -30, 400
SIXTEENTHS = range(16)


@dataclass(frozen=True)
class Pieces:
    """A function, and where it is cut; if there are leading terms, t is 0 in the first piece, and they are exact."""

    name: str
    says: str
    scale: float
    target: Callable[[mpf], mpf]
    leading: tuple[float, ...] = ()


def cubed_tanh_shrink(a: mpf) -> mpf:
    """(a - tanh a) / a^3."""
    return (a - mp.tanh(a)) / a**3


FUNCTIONS = (
    Pieces("TANH", "tanh a", 1.625, mp.tanh, (0.0, 1.0)),
    Pieces("TANH_SHRINK", "(a - tanh a) / a**3", 1.625, cubed_tanh_shrink),
    Pieces("NORMAL_TAIL", "a exp(a**2 / 2) Phi(-a)", 1.015625, lambda a: a * tail(a), (0.0, 0.5)),
    Pieces("NORMAL_SLOPE", "exp(a**2 / 2) Phi(-a) - a phi(0)", 1.015625, lambda a: tail(a) - a * DENSITY_AT_0),
)


def ends(pieces: Pieces, piece: int) -> tuple[mpf, mpf]:
    """Where a piece begins and ends, in a."""
    octave, part = divmod(piece, PIECES_IN_OCTAVE)
    begin = mpf(2) ** octave * (1 + mpf(part) / PIECES_IN_OCTAVE)
    end = mpf(2) ** octave * (1 + mpf(part + 1) / PIECES_IN_OCTAVE)
    return (begin - 1) / mpf(pieces.scale), (end - 1) / mpf(pieces.scale)


def interpolated(values: Callable[[mpf], mpf], begin: mpf, end: mpf, terms: int) -> list[mpf]:
    """The polynomial through Chebyshev's points of an interval."""
    points = [(begin + end + (end - begin) * mp.cos((2 * k + 1) * mp.pi / (2 * terms))) / 2 for k in range(terms)]
    vandermonde = mp.matrix([[point**power for power in range(terms)] for point in points])
    return list(mp.lu_solve(vandermonde, mp.matrix([values(point) for point in points])))


def good_point(pieces: Pieces, begin: mpf, end: mpf) -> float:
    """The t nearest to the middle of a piece where the function is close enough to a float32 number."""
    middle, step = (begin + end) / 2, (end - begin) / 2 / CANDIDATES
    best, least = 0.0, mpf(1)
    for k in range(1, CANDIDATES):
        for t in (rounded(middle + k * step, 32), rounded(middle - k * step, 32)):
            value = pieces.target(mpf(t))
            miss = abs(mpf(rounded(value, 32)) / value - 1)
            if miss < CLOSE:
                return t
            if miss < least:
                best, least = t, miss
    return best


def piece_of(pieces: Pieces, piece: int) -> list[float]:
    """t, c0, ..., c5 of a piece."""
    begin, end = ends(pieces, piece)
    first = piece == 0 and pieces.leading
    t = 0.0 if first else good_point(pieces, begin, end)
    leading = list(map(mpf, pieces.leading)) if first else [pieces.target(mpf(t))]
    head = len(leading)

    def rest(u: mpf) -> mpf:
        return (pieces.target(t + u) - mp.polyval(leading[::-1], u)) / u**head

    # No point of Chebyshev's lies at u = 0, for t is not quite the middle.
    coefficients = interpolated(rest, begin - t, end - t, TERMS - head)
    return [t, *(rounded(c, 32) for c in leading + coefficients)]


def rows(pieces: Pieces) -> list[list[float]]:
    """For each of t, c0, ..., c5: the pieces' values, by the bits of b that name the piece."""
    by_piece = [piece_of(pieces, piece) for piece in range(PIECES)]
    by_index = [by_piece[(index - INDEX_OF_1) % PIECES] for index in range(PIECES)]
    return [list(row) for row in zip(*by_index, strict=True)]


def powers() -> tuple[list[float], list[str], list[float]]:
    """2**(j/16); its bits, less j where n's lowest bit is added to them; and what is missing, relatively."""
    exact = [mpf(2) ** (mpf(j) / 16) for j in SIXTEENTHS]
    fractions = [rounded(power, 32) for power in exact]
    bits = [core.bits32(fraction) - (j << 19) for j, fraction in zip(SIXTEENTHS, fractions, strict=True)]
    missing = [rounded(power / mpf(fraction) - 1, 32) for power, fraction in zip(exact, fractions, strict=True)]
    return fractions, [f"{entry:#010x}" for entry in bits], missing


def wrapped(items: list[str]) -> Iterator[str]:
    """Lines of at most 120 characters."""
    line = "   "
    for item in items:
        if len(line) + len(item) + 2 > 120:
            yield line
            line = "   "
        line += f" {item},"
    yield line


def c_literal(value: float) -> str:
    text = literal(value, 32)
    return f"{text}f" if "." in text or "e" in text else f"{text}.0f"


def header() -> str:
    """The whole of wide_tables.h."""
    lines = [
        "/* Made by `python -m kernels.coefficients.wide`, which says how: the tables of wide.h. */",
    ]
    fractions, bits, missing = powers()
    for says, declaration, entries in (
        ("2**(j/16).", "float FRACTIONS", map(c_literal, fractions)),
        ("Their bits, less j where n's lowest bit will be added to them.", "uint32_t POWERS", bits),
        ("What they miss of 2**(j/16), as a part of it.", "float POWERS_MISS", map(c_literal, missing)),
    ):
        lines += ["", f"/* {says} */", f"static const {declaration}[16] = {{", *wrapped(list(entries)), "};"]
    for pieces in FUNCTIONS:
        lines += ["", f"/* {pieces.says}, pieces of 1 + {pieces.scale} a: t, then c0 to c{TERMS - 1}. */"]
        lines += [f"#define {pieces.name}_SCALE {c_literal(pieces.scale)}"]
        lines += [f"static const float {pieces.name}[{TERMS + 1}][{PIECES}] = {{"]
        for row in rows(pieces):
            first, *others = wrapped([c_literal(value) for value in row])
            lines += ["    {" + first[4:], *others[:-1], others[-1] + "},"]
        lines += ["};"]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the file")
    arguments = parser.parse_args()
    text = header()
    if not arguments.check:
        print(text, end="")
    elif TARGET.read_text() != text:
        print(f"{TARGET.name} is not what this makes", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
