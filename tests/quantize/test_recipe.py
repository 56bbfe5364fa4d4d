"""A recipe with a typing mistake costs a second, not a night."""

from __future__ import annotations

from pathlib import Path

import pytest

from quantize import cli
from quantize.reader.settings import ReaderTable
from quantize.recipe import ROOT, RecipeError, known_recipes, load_recipe, read_table

HEAD = 'kind = "reader"\nname = "small"\noutput = "out"\n'


def written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_recipes_of_the_package_can_be_read() -> None:
    assert "recipes/reader.toml" in known_recipes()
    for name in known_recipes():
        recipe = load_recipe(name)
        assert recipe.output.is_relative_to(ROOT)
        assert recipe.kind != "reader" or read_table(recipe, ReaderTable).vocabulary > 0


def test_paths_are_relative_to_the_repository(tmp_path: Path) -> None:
    recipe = load_recipe(written(tmp_path, HEAD + 'packs = ["edge/packs/primaria"]\ncorpora = "texts"\n'))
    assert recipe.packs == (ROOT / "edge/packs/primaria",)
    assert recipe.corpora == ROOT / "texts"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("kind = ", "not valid TOML"),
        ('kind = "poem"', "kind = “poem”"),
        ('kind = "reader"\nname = "x"', "lacks “output”"),
        (HEAD + "sed = 3", "“sed”"),
        (HEAD + 'seed = "three"', "seed = 'three'"),
        (HEAD + "seed = true", "seed = True"),
        (HEAD + "packs = [1]", "packs = [1]"),
        (HEAD + "reader = 3", "reader = 3"),
    ],
)
def test_what_a_recipe_says_wrong_is_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(RecipeError) as caught:
        load_recipe(written(tmp_path, text))
    assert says in caught.value.say("en")


@pytest.mark.parametrize(
    ("text", "says"),
    [("[reader]\nwidht = 3", "“reader.widht”"), ("[reader]\nwidth = 3.5", "reader.width = 3.5")],
)
def test_the_table_of_a_kind_is_checked_too(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(RecipeError) as caught:
        read_table(load_recipe(written(tmp_path, HEAD + text)), ReaderTable)
    assert says in caught.value.say("en")


def test_an_unknown_recipe_is_refused_with_the_known_ones(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    assert cli.main(["run", "nowhere.toml"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "nowhere.toml" in told.err
    assert "recipes/reader.toml" in told.err


def test_absent_corpora_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str], home: Path) -> None:
    recipe = written(tmp_path, HEAD + f'corpora = "{tmp_path}/texts"\n')
    assert cli.main(["run", recipe, "--work", str(tmp_path / "work")]) == 1
    assert f"{tmp_path}/texts/" in capsys.readouterr().err
    assert not (tmp_path / "work").exists()


def test_a_dry_run_lists_the_steps_and_does_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    recipe = written(tmp_path, HEAD)
    work = tmp_path / "work"
    assert cli.main(["run", recipe, "--dry-run", "--work", str(work)]) == 0
    told = capsys.readouterr().out
    seeds = ("1", "2", "3")
    measured = [f"{step}-{which}" for which in (*seeds, "mean") for step in ("export", "calibrate", "evaluate")]
    assert [line.split()[2] for line in told.splitlines()] == [
        *("corpus", "pieces", "guess", "meanings", "first"),
        *(f"seed-{seed}" for seed in seeds),
        *measured,
        "publish",
    ]
    assert not work.exists()


def test_wrong_usage_is_exit_2() -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["bake"])
    assert caught.value.code == 2
