"""PyInstaller's recipe brings what the app asks for at run time; the recipe runs here, nothing is built."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from importlib import metadata
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("PyInstaller", reason="the recipe needs PyInstaller: environment.py --with kit")

from devkit.freeze import closure
from edge.llama import schema

ROOT = Path(__file__).parent.parent.parent
SPEC = ROOT / "packaging" / "pyinstaller" / "amauta.spec"
SERVER = frozenset({"starlette", "uvicorn", "psycopg"})
"""Of the hub's server, which is installed and never frozen."""


class Recipe:
    """Stands for PyInstaller's Analysis, and keeps what the recipe gives it."""

    def __init__(self, scripts: list[str], **given: Any) -> None:
        self.scripts, self.given = scripts, given
        self.binaries: list[Any] = []
        self.datas: list[Any] = []
        self.pure: list[Any] = []

    def inside(self) -> dict[str, Path]:
        """Return the files brought as they are, by their place in the folder."""
        return {f"{place}/{Path(file).name}": Path(file) for file, place in self.given["datas"]}


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    kept: list[Recipe] = []

    def analysis(scripts: list[str], **given: Any) -> Recipe:
        kept.append(Recipe(scripts, **given))
        return kept[0]

    def nothing(*_given: object, **_named: object) -> None:
        return None

    names = {"SPECPATH": str(SPEC.parent), "Analysis": analysis, "EXE": nothing, "PYZ": nothing, "COLLECT": nothing}
    path = list(sys.path)
    try:
        exec(compile(SPEC.read_text(encoding="utf-8"), str(SPEC), "exec"), names)
    finally:
        sys.path[:] = path
    return kept[0]


def sources() -> list[Path]:
    return [path for package in ("edge", "tui") for path in sorted((ROOT / package).rglob("*.py"))]


def imported(path: Path) -> set[str]:
    """Return what a file imports from anywhere, at its head or inside a function."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(str(node.module).split(".")[0])
    return names - sys.stdlib_module_names - {"edge", "tui"}


def test_every_library_that_some_screen_or_verb_imports_is_carried(recipe: Recipe) -> None:
    providers, carried = metadata.packages_distributions(), set(closure.carried_here())
    users: dict[str, set[Path]] = {}
    for path in sources():
        for name in imported(path):
            users.setdefault(name, set()).add(path)
    missing = {name for name in users if not carried & {closure.plain(source) for source in providers.get(name, ())}}
    assert missing <= SERVER
    assert all((ROOT / "edge" / "hub") in path.parents for name in missing for path in users[name])
    assert not (users.keys() - SERVER) & set(recipe.given["excludes"])


def test_every_module_and_every_data_file_of_ours_comes_along(recipe: Recipe) -> None:
    modules = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in sources()}
    assert modules <= {*recipe.given["hiddenimports"], "tui.__main__"}, "modules: a folder without __init__.py?"
    assert recipe.scripts == [str(ROOT / "tui" / "__main__.py")]
    ours = {
        path.relative_to(ROOT).as_posix()
        for package in ("edge", "tui")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc") and "__pycache__" not in path.parts
    }
    assert ours <= recipe.inside().keys()
    assert {"edge/models_manifest.json", "tui/tutor.tcss"} <= recipe.inside().keys()


def test_what_is_read_from_its_file_is_there_as_a_file(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The modules of a frozen package lie in no folder: only what was brought as data does."""
    for place, file in recipe.inside().items():
        if place.startswith("llama_cpp/"):
            (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / place).write_bytes(file.read_bytes())
    package = ModuleSpec("llama_cpp", None, origin=str(tmp_path / "llama_cpp" / "__init__.py"))
    monkeypatch.setattr(schema, "find_spec", {"llama_cpp": package}.get)
    schema._converter.cache_clear()
    try:
        assert "root ::=" in schema.grammar_of({"type": "boolean"})
    finally:
        schema._converter.cache_clear()


def test_only_one_place_reads_a_library_of_others_from_its_file() -> None:
    """A second one needs its file in `choice.LLAMA_SOURCES`, or its like."""
    found = {p.relative_to(ROOT).as_posix() for p in sources() if "spec_from_file_location" in p.read_text("utf-8")}
    assert found == {"edge/llama/schema.py"}


def test_a_program_that_the_app_starts_learns_nothing_of_the_starter(recipe: Recipe) -> None:
    """Itself above all: with the starter's marks and without its library path it would find no library."""
    assert recipe.given["runtime_hooks"] == [str(SPEC.with_name("own_place.py"))]
    told = {"_PYI_ARCHIVE_FILE": "amauta", "_PYI_PARENT_PROCESS_LEVEL": "0", "LD_LIBRARY_PATH": "_internal"}
    child = "import json, os; print(json.dumps(dict(os.environ)))"
    code = f"import runpy, subprocess, sys; runpy.run_path({recipe.given['runtime_hooks'][0]!r}); sys.exit(subprocess.call([sys.executable, '-c', {child!r}]))"
    for before in ({}, {"LD_LIBRARY_PATH_ORIG": "mine"}):
        environment = {"PATH": os.environ["PATH"], **told, **before, "GGML_BACKEND_PATH": "trap.so"}
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        left = json.loads(done.stdout)
        assert not [name for name in left if name.startswith(("_PYI", "GGML"))]
        assert left.get("LD_LIBRARY_PATH") == before.get("LD_LIBRARY_PATH_ORIG")
