"""Read one TOML recipe and refuse whatever it does not understand.

A recipe says what to make, from what, and where to put it. It refuses unknown
names and wrong types, so that a typing mistake costs a second, not a night.
Relative paths are relative to the repository.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from pathlib import Path
from types import NoneType
from typing import Any, TypeVar, get_args, get_type_hints

from edge.errors import EdgeError

KINDS = ("reader", "lm", "search", "release")
ROOT = Path(__file__).resolve().parent.parent
RECIPES = Path(__file__).resolve().parent

Table = TypeVar("Table")


class RecipeError(EdgeError):
    """A recipe cannot be used."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What to make: the common part of every recipe, and the table of its kind."""

    path: Path
    kind: str
    name: str
    output: Path
    """The folder that receives the finished model."""

    corpora: Path | None
    """The folder with the text archives; None when the packs are enough."""

    packs: tuple[Path, ...]
    seed: int
    table: Mapping[str, Any]
    """The settings of this kind, still unread: see `read_table`."""


def load_recipe(given: str) -> Recipe:
    """Read the recipe at a path, or the one of that name inside this package."""
    path = _find(given)
    try:
        found: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError("recipe-broken", path=path, reason=str(error)) from error
    except OSError as error:
        raise RecipeError("recipe-unreadable", path=path, reason=error.strerror or str(error)) from error
    kind = found.get("kind", "")
    if kind not in KINDS:
        raise RecipeError("recipe-kind", path=path, kind=str(kind), kinds=", ".join(KINDS))
    common = {name: value for name, value in found.items() if name != kind}
    head = _fill(_Head, common, path, "")
    table = found.get(kind, {})
    if not isinstance(table, dict):
        raise RecipeError("recipe-value", path=path, name=kind, value=str(table), wanted="table")
    return Recipe(
        path=path,
        kind=kind,
        name=head.name,
        output=ROOT / head.output,
        corpora=ROOT / head.corpora if head.corpora else None,
        packs=tuple(ROOT / pack for pack in head.packs),
        seed=head.seed,
        table=table,
    )


def read_table(recipe: Recipe, cls: type[Table]) -> Table:
    """Fill the dataclass `cls` from the recipe's own table, refusing unknown names and wrong types."""
    return _fill(cls, recipe.table, recipe.path, f"{recipe.kind}.")


@dataclass(frozen=True, slots=True)
class _Head:
    kind: str
    name: str
    output: str
    corpora: str = ""
    packs: tuple[str, ...] = ()
    seed: int = 1


def _find(given: str) -> Path:
    for candidate in (Path(given), RECIPES / given):
        if candidate.is_file():
            return candidate.resolve()
    raise RecipeError("recipe-missing", path=given, known=", ".join(known_recipes()))


def known_recipes() -> list[str]:
    """Return the recipes that come with this package, as `run` accepts them."""
    return sorted(f"recipes/{path.name}" for path in (RECIPES / "recipes").glob("*.toml"))


def _fill(cls: type[Table], table: Mapping[str, Any], path: Path, prefix: str) -> Table:
    hints = get_type_hints(cls)
    known = {field.name: field for field in fields(cls)}  # type: ignore[arg-type]
    for name in table:
        if name not in known:
            raise RecipeError("recipe-unknown", path=path, name=f"{prefix}{name}", names=", ".join(sorted(known)))
    for name, field in known.items():
        if name not in table and field.default is MISSING and field.default_factory is MISSING:
            raise RecipeError("recipe-lacks", path=path, name=f"{prefix}{name}")
    return cls(**{name: _typed(value, hints[name], path, f"{prefix}{name}") for name, value in table.items()})


def _typed(value: Any, wanted: Any, path: Path, name: str) -> Any:
    if NoneType in get_args(wanted):  # a table that may be left out
        wanted = next(kind for kind in get_args(wanted) if kind is not NoneType)
    if is_dataclass(wanted) and isinstance(wanted, type) and isinstance(value, dict):
        return _fill(wanted, value, path, f"{name}.")
    if wanted is float and type(value) is int:
        return float(value)
    if wanted in (bool, int, float, str) and type(value) is wanted:
        return value
    if wanted == tuple[str, ...] and isinstance(value, list) and all(isinstance(v, str) for v in value):
        return tuple(value)
    shown = "table" if is_dataclass(wanted) else "list of texts"
    shown = getattr(wanted, "__name__", str(wanted)) if wanted in (bool, int, float, str) else shown
    raise RecipeError("recipe-value", path=path, name=name, value=repr(value), wanted=shown)
