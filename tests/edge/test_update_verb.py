"""`amauta update` from a signed stick, a folder and a server: what a technician reads, and what the device then has."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from edge.cli import main
from edge.library.library import folders_of
from edge.release.trust import TrustError, open_release
from edge.settings import load
from edge.update.install import for_this_device, install
from edge.update.places import Pointer, Releases
from serving import serving
from shop import NOON, Press

MINI_PACK = Path(__file__).parents[1] / "data" / "packs" / "mini"
PACK = {
    f"packs/mini/{p.relative_to(MINI_PACK).as_posix()}": p.read_bytes() for p in MINI_PACK.rglob("*") if p.is_file()
}
LARGE = bytes(range(256)) * 4096
FIRST = PACK | {"voices/voz.onnx": LARGE, "voices/voz.onnx.json": b"{}"}
SECOND = FIRST | {"packs/mini/pack.toml": PACK["packs/mini/pack.toml"].replace(b"version = 1", b"version = 2")}


class Technician(NamedTuple):
    """One device, one stick, and the office that signs."""

    press: Press
    stick: Path
    home: Path
    tmp: Path
    capsys: pytest.CaptureFixture[str]

    def publish(self, files: Mapping[str, bytes]) -> None:
        self.press.publish(files, self.tmp / "made")

    def run(self, *given: str, code: int = 0) -> str:
        """Return what is said on both streams."""
        assert main(["update", *given], {"AMAUTA_HOME": str(self.home), "AMAUTA_LANG": "es"}) == code
        said = self.capsys.readouterr()
        return said.out + said.err

    def facts(self, *given: str) -> dict[str, Any]:
        """Return what is answered in JSON."""
        assert main(["update", *given, "--json"], {"AMAUTA_HOME": str(self.home)}) == 0
        found: dict[str, Any] = json.loads(self.capsys.readouterr().out)
        return found


@pytest.fixture
def tech(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Technician:
    stick = tmp_path / "MOCHILA"
    press = Press(stick / "AMAUTA" / "release")
    made = Technician(press, stick, home, tmp_path, capsys)
    made.publish(FIRST)
    open_release(press.folder, home, press.root)
    return made


def test_a_stick_brings_a_release_and_the_library_has_its_pack(tech: Technician) -> None:
    said = tech.run("--from", str(tech.stick))
    assert "Versión 1 (0.1.0): 4 archivos." in said
    assert "Listo: la versión 1 (0.1.0) se usará al abrir Amauta. Se trajeron 1.0 MB." in said
    assert "vuelve sola" in said
    assert f"Firmada el {NOON.date()}" in said
    assert tech.home / "releases/1/packs/mini" in folders_of(load({"AMAUTA_HOME": str(tech.home)}))
    assert tech.facts("--status") == {
        "number": 1, "version": "0.1.0", "before": 0, "trial_starts": 0, "failed": 0,
        "files": 4, "size": sum(map(len, FIRST.values())),
    }  # fmt: skip


def test_it_says_first_what_would_come_and_writes_nothing(tech: Technician) -> None:
    tech.run("--from", str(tech.stick))
    tech.publish(SECOND)
    changed = len(SECOND["packs/mini/pack.toml"])
    facts = tech.facts("--from", str(tech.stick), "--dry-run")
    assert (facts["state"], facts["moved_bytes"], facts["fits"]) == ("newer", changed, True)
    assert [row["path"] for row in facts["files"] if row["moved"]] == ["packs/mini/pack.toml"]
    assert f"Se traen 0.0 MB ({changed} bytes) de 1.0 MB" in tech.run("--from", str(tech.stick), "--dry-run")
    assert Releases.of(tech.home).numbers() == [1]
    assert tech.facts("--from", str(tech.stick))["brought_bytes"] == changed


def test_it_tells_whether_there_is_something_new(tech: Technician) -> None:
    assert "Hay una versión nueva: 1 (0.1.0)." in tech.run("--from", str(tech.stick), "--check")
    tech.run("--from", str(tech.stick))
    assert "ya está instalada" in tech.run("--from", str(tech.stick), "--check")
    assert tech.facts("--from", str(tech.stick))["changed"] is False


def test_a_server_brings_the_same_release(tech: Technician) -> None:
    with serving(tech.press.web()) as site:
        assert tech.facts("--from", site.url)["number"] == 1
    assert Releases.of(tech.home).pointer() == Pointer(1, 0)


def test_a_stick_that_goes_away_midway_is_said_and_the_rest_comes_later(tech: Technician) -> None:
    parts, away = tech.press.folder / "parts", tech.tmp / "away"
    digest = sorted(p.name for p in parts.rglob("*") if p.is_file() and p.stat().st_size == len(LARGE))
    assert len(digest) == 1
    held = next(parts.rglob(digest[0]))
    shutil.move(held, away)
    said = tech.run("--from", str(tech.stick), code=1)
    assert str(tech.press.folder) in said
    assert Releases.of(tech.home).pointer() == Pointer(0, 0)
    shutil.move(away, held)
    assert tech.facts("--from", str(tech.stick))["brought_bytes"] == len(LARGE) + 2


def test_a_stick_pulled_out_while_it_is_read_is_said_in_words(tech: Technician) -> None:
    trusted = open_release(tech.press.folder, tech.home)

    def pull_out(done: int, _total: int) -> None:
        if done and tech.stick.exists():
            tech.stick.rename(tech.tmp / "in the pocket")

    with pytest.raises(TrustError) as refused:
        install(tech.home, for_this_device(trusted.contents), trusted.part, pull_out, lambda _: None)
    assert len(refused.value.say("es").splitlines()) == 2
    (tech.tmp / "in the pocket").rename(tech.stick)
    assert 0 < tech.facts("--from", str(tech.stick))["brought_bytes"] < sum(map(len, FIRST.values()))


def test_changed_bytes_on_a_stick_never_become_a_release(tech: Technician) -> None:
    for path in (p for p in (tech.press.folder / "parts").rglob("*") if p.is_file()):
        path.write_bytes(b"\0" * path.stat().st_size)
    tech.run("--from", str(tech.stick), code=1)
    assert Releases.of(tech.home).pointer() == Pointer(0, 0)


def test_another_school_s_keys_are_not_ours(tech: Technician, tmp_path: Path) -> None:
    other = Press(tmp_path / "other")
    other.publish(SECOND, tmp_path / "made2")
    assert "\n" in tech.run("--from", str(other.folder), code=1)
    assert Releases.of(tech.home).numbers() == []


def test_without_a_stick_it_says_what_to_do(tech: Technician, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.update.mochila.MOUNTS", (str(tech.tmp / "media"),))
    assert "Conecta la memoria" in tech.run(code=1)
    assert "no hay una actualización" in tech.run("--from", str(tech.tmp), code=1)
    (tech.tmp / "media").mkdir()
    shutil.copytree(tech.stick, tech.tmp / "media" / "MOCHILA")
    assert "Listo: la versión 1" in tech.run()


def test_it_goes_back_by_hand(tech: Technician) -> None:
    assert "está en uso la que vino con Amauta" in tech.run("--back", code=1)
    tech.run("--from", str(tech.stick))
    assert "A prueba" in tech.run("--status")
    assert "la versión que vino con Amauta en lugar de la 1" in tech.run("--back")
    assert "En uso: la versión que vino con Amauta." in tech.run("--status")
    assert load({"AMAUTA_HOME": str(tech.home)}).release == 0
