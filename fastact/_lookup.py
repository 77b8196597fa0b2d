"""`fastact.get`: an activation by its name, as configuration files have it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastact._public import canonical
from fastact._records import activations


def get(identifier: str | Callable[..., Any] | None) -> Callable[..., Any]:
    """The activation of this name; a callable is returned as it is, and None gives `identity`, as in Keras."""
    import fastact

    if identifier is None:
        identifier = "identity"
    if callable(identifier):
        return identifier
    if not isinstance(identifier, str):
        raise TypeError(f"get: identifier is {identifier!r}, expected a name or a callable")
    known = identifier in activations or identifier in canonical
    function: Callable[..., Any] | None = getattr(fastact, identifier, None) if known else None
    if function is None:
        raise ValueError(f"get: there is no activation {identifier!r}{_suggestion(identifier, known_names())}")
    return function


def known_names() -> list[str]:
    """Every name, aliases included, that `get` finds here."""
    import fastact

    records = fastact.activations.values()
    return [name for record in records for name in (record.name, *record.aliases) if name in fastact.__all__]


def _suggestion(name: str, names: list[str]) -> str:
    """What the caller may have meant: "LeakyReLU" and "gleu" have near neighbours, "foo" has none."""
    from difflib import get_close_matches

    bare = {known.replace("_", ""): known for known in names}
    meant = [bare[match] for match in get_close_matches(name.lower().replace("_", "").replace("-", ""), bare)]
    return f"; did you mean {' or '.join(map(repr, meant))}?" if meant else ""
