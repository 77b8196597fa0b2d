"""Docstrings of the public functions, made from the records."""

from __future__ import annotations

from fastact._records import Activation

ERRORS = {
    "value": "float32 at most 1 ULP, float64 at most 2 ULP; float16 and bfloat16 are rounded once from float32",
    "derivative": "float32 and float64 at most 2 ULP (of 1, near the derivative's roots)",
    "backward": "as the derivative's, and one rounding of the product",
}
LEADS = {
    "value": "{summary}",
    "derivative": "The derivative of {name} at x.",
    "backward": "grad times the derivative of {name} at x, in one pass: the gradient with respect to x.",
}


def docstring(record: Activation, operation: str) -> str:
    """Formula, operands, dtypes, range, error bound, kinks, errors and source of one function."""
    lines = [
        LEADS[operation].format(name=record.name, summary=record.summary),
        "",
        f"    {record.name}(x) = {record.formula}",
        "",
        "Parameters",
        "----------",
    ]
    if operation == "backward":
        lines += ["grad : array_like", "    The gradient with respect to the function's result."]
    for operand in record.operands:
        lines += [f"{operand} : array_like", "    Real numbers, of any shape."]
    for name, parameter in record.parameters.items():
        default = "" if parameter.default is None else f", default {parameter.default!r}"
        lines += [f"{name} : float or array_like{default}", f"    {parameter.requirement}; broadcasts against x."]
    lines += [
        "out, where, casting, order, dtype, subok",
        "    As for any NumPy ufunc. out may be x itself.",
        "",
        "Returns",
        "-------",
        "ndarray or scalar",
        "    " + _dtypes(record),
        "",
        "Notes",
        "-----",
    ]
    if operation == "value":
        lines.append(f"Range: {record.range}.")
    lines.append(f"Largest error: {ERRORS[operation]}.")
    lines += [f"At x = {kink.x} the derivative is taken as {kink.derivative}." for kink in record.kinks]
    lines += [
        "NaN gives NaN; no floating-point warning is ever raised.",
        "",
        "Raises",
        "------",
        "TypeError",
        "    For complex, object and other operands that are not real numbers.",
    ]
    checked = [name for name, parameter in record.parameters.items() if parameter.accepts]
    if checked:
        lines += ["ValueError", f"    For a value of {' or '.join(checked)} that makes no sense."]
    return "\n".join([*lines, "", "References", "----------", f"{record.source}."])


def _dtypes(record: Activation) -> str:
    floats = "float16, bfloat16, float32, float64 and longdouble keep their dtype; "
    if record.keeps_integers:
        return floats + "so do integers and bool."
    return floats + "bool and 8/16-bit integers give float32, wider integers float64."
