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
LEADS_OF_TWO_OPERANDS = {
    "value": "{summary}",
    "derivative": "The derivatives of {name} with respect to {first} and {second}, a pair.",
    "backward": "The gradients with respect to {first} and {second}, each in its operand's shape, a pair.",
}


def docstring(record: Activation, operation: str) -> str:
    """Formula, operands, dtypes, range, error bound, kinks, errors and source of one function."""
    pair = len(record.operands) > 1 and not record.halved
    lead = (LEADS_OF_TWO_OPERANDS if pair else LEADS)[operation]
    first, second = record.operands[0], record.operands[-1]
    lines = [
        lead.format(name=record.name, summary=record.summary, first=first, second=second),
        "",
        f"    {record.name}({', '.join(record.inputs)}) = {record.formula}",
        "",
        "Parameters",
        "----------",
    ]
    if operation == "backward":
        lines += ["grad : array_like", "    The gradient with respect to the function's result."]
    if record.halved:
        lines += ["x : array_like", f"    Real numbers: {second} is the first half along the axis, {first} the second."]
        lines += ["axis : int, default -1", "    The axis whose size is halved; it has to be even."]
    else:
        lines += [line for operand in record.operands for line in (f"{operand} : array_like", "    Real numbers.")]
    for name, parameter in record.parameters.items():
        default = "" if parameter.default is None else f", default {parameter.default!r}"
        lines += [f"{name} : float or array_like{default}", f"    {parameter.requirement}; broadcasts against x."]
    lines += _output(record, operation)
    lines += [
        "",
        "Returns",
        "-------",
        "tuple of two ndarrays or scalars" if pair and operation != "value" else "ndarray or scalar",
        "    " + _dtypes(record),
        "",
        "Notes",
        "-----",
    ]
    if operation == "value":
        lines.append(f"Range: {record.range}.")
    lines.append(f"Largest error: {ERRORS[operation]}.")
    lines += [f"At {first} = {kink.x} the derivative is taken as {kink.derivative}." for kink in record.kinks]
    if operation == "value" and record.elsewhere:
        lines.append(f"In other libraries: {', '.join(map(str, record.elsewhere))}.")
    lines += [
        "NaN gives NaN; no floating-point warning is ever raised.",
        "",
        "Raises",
        "------",
        "TypeError",
        "    For complex, object and other operands that are not real numbers.",
    ]
    checked = [name for name, parameter in record.parameters.items() if parameter.accepts or parameter.not_below]
    if checked:
        lines += ["ValueError", f"    For a value of {' or '.join(checked)} that makes no sense."]
    return "\n".join([*lines, "", "References", "----------", f"{record.source}."])


def _output(record: Activation, operation: str) -> list[str]:
    if len(record.operands) == 1 or operation == "value":
        return ["out, where, casting, order, dtype, subok", "    As for any NumPy ufunc. out may be an operand itself."]
    if operation == "derivative":
        return []
    if record.halved:
        return ["out : ndarray, optional", "    Takes the gradient; may be x itself."]
    return ["out : tuple of two ndarrays or None, optional", "    Take the gradients; may be the operands themselves."]


def _dtypes(record: Activation) -> str:
    floats = "float16, bfloat16, float32, float64 and longdouble keep their dtype; "
    if record.keeps_integers:
        return floats + "so do integers and bool."
    return floats + "bool and 8/16-bit integers give float32, wider integers float64."
