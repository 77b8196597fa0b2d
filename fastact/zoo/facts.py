"""A record's facts as text and as plain data, for `list`, `info` and JSON."""

from __future__ import annotations

from math import isfinite
from typing import Any

import fastact
from fastact._public import canonical
from fastact._records import REALS, Activation, Parameter


def checked_name(asker: str, name: Any) -> str:
    """A name that is one, whether there is such an activation or not; a TypeError names the asker."""
    if not isinstance(name, str):
        raise TypeError(f"{asker}: a name is {name!r}, expected a string")
    return name


def record_of(asker: str, name: str) -> Activation:
    """The record of an activation by any of its names here; a ValueError says which name may have been meant."""
    checked_name(asker, name)
    try:
        fastact.get(name)
    except ValueError as error:
        raise ValueError(f"{asker}: {str(error).removeprefix('get: ')}") from None
    return fastact.activations[canonical.get(name, name)]


def signature(record: Activation) -> str:
    """How it is called: `leaky_relu(x, negative_slope=0.01)`."""
    operands = ("x",) if record.halved else record.operands
    parameters = (
        name if parameter.default is None else f"{name}={parameter.default:g}"
        for name, parameter in record.parameters.items()
    )
    return f"{record.name}({', '.join((*operands, *parameters))})"


def plain(record: Activation) -> dict[str, Any]:
    """All facts of a record in the types that JSON has; infinities and intervals are strings."""
    limits = None if record.limits is None else [_number(limit) for limit in record.limits]
    return {
        "name": record.name,
        "aliases": list(record.aliases),
        "signature": signature(record),
        "summary": record.summary,
        "formula": record.formula,
        "latex": record.latex,
        "operands": list(record.operands),
        "parameters": {name: _parameter(parameter) for name, parameter in record.parameters.items()},
        "domain": str(record.domain),
        "range": str(record.range),
        "limits": limits,
        "monotonic": record.monotonic,
        "smooth": record.smooth,
        "zero_centred": record.zero_centred,
        "saturates": list(record.saturates),
        "parity": record.parity,
        "kinks": [kink._asdict() for kink in record.kinks],
        "turning_points": list(record.turning_points),
        "keeps_integers": record.keeps_integers,
        "typical_use": list(record.typical_use),
        "elsewhere": [other._asdict() for other in record.elsewhere],
        "source": record.source,
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {"default": parameter.default, "requirement": parameter.requirement}


def _number(value: float) -> float | str:
    return value if isfinite(value) else str(value)


def sentences(record: Activation) -> dict[str, list[str]]:
    """The facts to read, each under its heading; headings that have nothing to say are left out."""
    facts = {
        "parameters": [_parameter_in_words(*item) for item in record.parameters.items()],
        "domain": [str(record.domain)] if record.domain != REALS else [],
        "range": [str(record.range)],
        "limits": _limits_in_words(record),
        "shape": [", ".join(_shape(record))],
        "kinks": [f"at {_text(kink.x)}, where the derivative is {_text(kink.derivative)}" for kink in record.kinks],
        "turns": [f"at {_text(point)}" for point in record.turning_points],
        "use": [", ".join(f"{use} layer" if use != "gate" else use for use in record.typical_use)],
        "integers": ["stay integers"] if record.keeps_integers else [],
        "also called": [", ".join(record.aliases)] if record.aliases else [],
        "elsewhere": [str(other) for other in record.elsewhere],
        "source": [record.source],
    }
    return {heading: lines for heading, lines in facts.items() if lines}


def _parameter_in_words(name: str, parameter: Parameter) -> str:
    default = "has to be given" if parameter.default is None else f"{parameter.default:g} by default"
    return f"{name}: {parameter.requirement}, {default}"


def _limits_in_words(record: Activation) -> list[str]:
    if record.limits is None:
        return []
    ends = record.domain.low, record.domain.high
    return [f"{limit:g} as x goes to {end:g}" for end, limit in zip(ends, record.limits, strict=True)]


def _shape(record: Activation) -> list[str]:
    words = ["monotonic" if record.monotonic else "not monotonic", "smooth" if record.smooth else "not smooth"]
    if record.parity is not None:
        words.append(record.parity)
    if record.zero_centred:
        words.append("centred on zero")
    if record.saturates:
        words.append(f"levels out on the {' and the '.join(record.saturates)}")
    return words


def _text(quantity: float | str) -> str:
    return quantity if isinstance(quantity, str) else f"{quantity:g}"
