"""The house keeps its shape: sizes, directions, words, and what is loaded when."""

from __future__ import annotations

import ast
import re
import string
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from edge.words import LANGUAGES, words_for

ROOT = Path(__file__).parent.parent
SOURCES = [p for top in ("edge", "tui", "quantize", "packaging") for p in sorted((ROOT / top).rglob("*.py"))]
MOST_LINES, MOST_FUNCTION_LINES = 300, 60
HEAVY = (
    "llama_cpp", "onnxruntime", "torch", "transformers", "piper", "textual", "numpy", "sqlite_utils", "miniaudio",
    "tuf", "securesystemslib", "cryptography", "zstandard", "pyrage", "zeroconf", "spake2", "ifaddr",
)  # fmt: skip


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_modules_and_functions_stay_small_and_say_what_they_promise(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= MOST_LINES
    tree = ast.parse(source)
    assert ast.get_docstring(tree), "a module opens with its promise"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < MOST_FUNCTION_LINES, node.name


def test_packaging_is_a_source_root_and_never_a_package() -> None:
    assert not (ROOT / "packaging" / "__init__.py").exists()


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_imports_point_only_at_edge(path: Path) -> None:
    own = path.relative_to(ROOT).parts[0].replace("packaging", "devkit")
    others = {"tui", "quantize", "devkit"} - {own}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert not {name.split(".")[0] for name in names} & others


@pytest.mark.parametrize("module", ["edge.cli", "tui.cli", "quantize.cli", "edge.library.library", "edge.tutor.turn"])
def test_heavy_libraries_are_not_loaded_before_they_are_needed(module: str) -> None:
    code = f"import sys, {module}; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_a_bank_answer_loads_neither_onnx_nor_llama(home: Path, shared_index: Path) -> None:
    home.mkdir()
    (home / "index").symlink_to(shared_index)
    code = (
        "import sys; from edge.cli import main; code = main(['ask', '¿Cómo se alimentan las plantas?', '--json']);"
        "print(code, [m for m in ('llama_cpp', 'onnxruntime', 'torch', 'piper', 'textual') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.splitlines()[-1] == "0 []"


FRONT_ENDS = ("edge", "tui", "devkit")


@pytest.mark.parametrize("front_end", FRONT_ENDS)
def test_every_word_exists_in_every_language_with_the_same_values(front_end: str) -> None:
    tables = {lang: words_for(front_end, lang).table for lang in LANGUAGES}
    first = tables[LANGUAGES[0]]
    for lang, table in tables.items():
        assert table.keys() == first.keys(), lang
        for key, text in table.items():
            assert text.strip(), f"{lang} {key} is blank"
            assert values_of(text) == values_of(first[key]), f"{lang} {key}"


def values_of(text: str) -> set[str]:
    return {name.split(".")[0].split("[")[0] for _, name, _, _ in string.Formatter().parse(text) if name}


def test_no_topic_names_a_word_twice() -> None:
    for front_end in FRONT_ENDS:
        folder = next(p for p in (ROOT / front_end, ROOT / "packaging" / front_end) if p.is_dir()) / "strings" / "es"
        seen: dict[str, Path] = {}
        for path in sorted(folder.glob("*.toml")):
            for key in flat(tomllib.loads(path.read_text(encoding="utf-8"))):
                assert key not in seen, f"{key} in {path.name} and {seen[key].name}"
                seen[key] = path


def flat(table: dict[str, object], prefix: str = "") -> list[str]:
    return [
        key
        for name, value in table.items()
        for key in (flat(value, f"{prefix}{name}.") if isinstance(value, dict) else [f"{prefix}{name}"])
    ]


RAISED = re.compile(
    r"\b(Edge|Pack|Model|Store|Speech|Kit|Trust|Contents|Update|Sync|Hub|Site|Identity|Refused|Triage|Records|Locked)Error\(\s*\"([a-z0-9-]+)\"((?:[^()]|\([^()]*\))*)\)"
)


def test_every_error_has_its_sentence_and_its_hint_and_gives_the_values_they_need() -> None:
    for path in SOURCES:
        for kind, key, arguments in RAISED.findall(path.read_text(encoding="utf-8")):
            table = words_for("devkit" if kind == "Kit" else "edge", "en").table
            given = set(re.findall(r"\b(\w+)=", arguments))
            for part in ("what", "do"):
                assert f"errors.{key}.{part}" in table, f"{key} raised in {path.name}"
                assert values_of(table[f"errors.{key}.{part}"]) <= given or "**" in arguments, f"{key} in {path.name}"


def test_no_source_names_a_workplace_or_leaves_work_undone() -> None:
    for path in SOURCES:
        source = path.read_text(encoding="utf-8")
        assert not re.search(r"\b(TODO|FIXME|XXX)\b|raise NotImplementedError", source), path.name
        assert not re.search(r"['\" ](/work/|/tmp/|/root/)", source), path.name
