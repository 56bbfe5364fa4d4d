"""Settings are read once, checked, and kept so that a power cut cannot break them."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from edge.errors import EdgeError
from edge.settings import Settings, home_folder, load, save


def test_a_new_device_has_no_language_yet_and_speaks_spanish(home: Path) -> None:
    settings = load({"AMAUTA_HOME": str(home)})
    assert (settings.lang, settings.spoken_lang, settings.sound) == ("", "es", True)


def test_what_was_saved_is_read_again(home: Path) -> None:
    chosen = Settings(home, lang="pt", theme="light", sound=False, speed="slow")
    save(chosen)
    assert load({"AMAUTA_HOME": str(home)}) == chosen


def test_the_environment_wins_over_the_file(home: Path) -> None:
    save(Settings(home, lang="pt"))
    settings = load({"AMAUTA_HOME": str(home), "AMAUTA_LANG": "en", "AMAUTA_SOUND": "0"})
    assert (settings.lang, settings.sound) == ("en", False)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('lang = "qu"', "qu"),
        ("sound = 1", "1"),
        ("colour = 3", "colour"),
        ("lang = ", "settings.toml"),
        ('theme = "blue"', "blue"),
    ],
)
def test_a_wrong_setting_is_named_with_what_to_do(home: Path, written: str, said: str) -> None:
    home.mkdir()
    (home / "settings.toml").write_text(written, encoding="utf-8")
    with pytest.raises(EdgeError) as raised:
        load({"AMAUTA_HOME": str(home)})
    what, do = raised.value.say("es").splitlines()
    assert said in what
    assert do


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_refused_in_words(home: Path) -> None:
    home.mkdir(mode=0o500)
    with pytest.raises(EdgeError, match="cannot be kept"):
        save(Settings(home))


def test_a_folder_that_is_a_file_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(EdgeError, match="cannot be kept"):
        save(replace(Settings(tmp_path), home=tmp_path / "file" / "home"))


def test_the_folder_follows_the_system(tmp_path: Path) -> None:
    assert home_folder({"LOCALAPPDATA": str(tmp_path)}) == tmp_path / "Amauta"
    assert home_folder({"XDG_DATA_HOME": str(tmp_path)}) == tmp_path / "amauta"
