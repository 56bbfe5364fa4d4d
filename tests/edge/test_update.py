"""A release comes in by its changed parts only, is switched to at once, and gives way when it does not start."""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from hypothesis import strategies as st

from edge.errors import EdgeError
from edge.learning.store import Store
from edge.release.contents import Contents
from edge.settings import load
from edge.update.errors import UpdateError
from edge.update.install import Done, for_this_device, install, platform_name, prepare
from edge.update.mochila import find
from edge.update.places import Pointer, Releases, Trial
from edge.update.plan import wanted
from edge.update.start import begin, forgive, reached
from edge.update.switch import alone, go_back
from shop import Shop

ROOT = Path(__file__).parents[2]
LAUNCHER = ROOT / "packaging" / "launch" / "Amauta-Linux.sh"


def some(seed: int, size: int) -> bytes:
    return random.Random(seed).randbytes(size)


MODEL = some(1, 50_000)
FIRST = {
    "models/uno.gguf": MODEL,
    "voices/voz.onnx": some(2, 20_000),
    "packs/letras/pack.toml": b"version = 1\n",
    "packs/letras/lessons/a.md": some(3, 9_000),
}
SECOND = FIRST | {"packs/letras/pack.toml": b"version = 2\n"}


class Device(NamedTuple):
    """One device and the shop its releases come from."""

    home: Path
    shop: Shop

    @property
    def releases(self) -> Releases:
        return Releases.of(self.home)

    def take(self, number: int, files: Mapping[str, bytes], old: Mapping[str, bytes] | None = None) -> Done:
        return self.install(self.shop.release(number, files, old=old))

    def install(self, contents: Contents) -> Done:
        return install(self.home, contents, self.shop.fetch, lambda _done, _total: None, lambda _: None)

    def files(self) -> dict[str, bytes]:
        folder = self.releases.whole(self.releases.pointer().number)
        paths = [path for path in folder.rglob("*") if path.is_file() and path.name != "installed.json"]
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}

    def open_app(self) -> None:
        """Start, and reach the prompt."""
        begin(self.home, {})
        reached(self.home, self.releases.pointer().number)


@pytest.fixture
def device(home: Path) -> Device:
    return Device(home, Shop())


def test_the_first_release_brings_everything_and_a_changed_pack_only_its_changed_file(device: Device) -> None:
    first = device.take(1, FIRST)
    assert (first.before, first.brought) == (0, sum(map(len, FIRST.values())))
    device.open_app()
    second = device.take(2, SECOND)
    assert (second.before, second.brought) == (1, len(b"version = 2\n"))
    assert device.files() == SECOND


def test_what_did_not_change_is_one_file_with_two_names(device: Device) -> None:
    device.take(1, FIRST)
    device.take(2, SECOND)
    old, new = (device.releases.whole(number) / "models/uno.gguf" for number in (1, 2))
    assert old.stat().st_ino == new.stat().st_ino


def test_a_changed_stretch_of_a_large_file_is_all_that_comes(device: Device) -> None:
    device.take(1, FIRST)
    model = bytearray(FIRST["models/uno.gguf"])
    model[8192:8200] = b"anderes!"
    changed = FIRST | {"models/uno.gguf": bytes(model)}
    assert device.take(2, changed).brought == 4096
    assert device.files() == changed


def test_a_delta_comes_instead_where_it_is_smaller(device: Device) -> None:
    device.take(1, FIRST)
    shifted = FIRST | {"models/uno.gguf": b"new" + FIRST["models/uno.gguf"]}
    done = device.take(2, shifted, old=FIRST)
    assert done.brought < 200
    assert device.files() == shifted


@pytest.mark.parametrize(
    "new", [MODEL, b"new" + MODEL, MODEL[:8192] + b"other" + MODEL[8197:]], ids=["kept", "by a delta", "by parts"]
)
def test_a_damaged_old_file_costs_bytes_and_nothing_else(device: Device, new: bytes) -> None:
    device.take(1, FIRST)
    device.open_app()
    (device.releases.whole(1) / "models/uno.gguf").write_bytes(bytes(50_000))
    files = FIRST | {"models/uno.gguf": new}
    assert device.take(2, files, old=FIRST).brought == len(new)
    assert device.files() == files


def test_models_added_by_hand_are_taken_for_those_of_the_release(device: Device) -> None:
    added = device.home / "models" / "uno.gguf"
    added.parent.mkdir(parents=True)
    added.write_bytes(FIRST["models/uno.gguf"])
    assert device.take(1, FIRST).brought == sum(map(len, FIRST.values())) - 50_000
    assert (device.releases.whole(1) / "models/uno.gguf").stat().st_ino != added.stat().st_ino


def test_the_figures_said_before_are_those_that_come_true(device: Device) -> None:
    device.take(1, FIRST)
    contents = device.shop.release(2, SECOND | {"voices/otra.onnx": some(5, 10_000)})
    before = sorted(device.home.rglob("*"))
    prepared = prepare(device.home, contents)
    assert (prepared.plan.moved, prepared.needed) == (10_012, 10_012)
    assert prepared.plan.kept == sum(map(len, FIRST.values())) - 12
    assert sorted(device.home.rglob("*")) == before
    assert device.install(contents).brought == prepared.plan.moved


def test_a_disk_that_knows_no_second_names_gets_copies_and_is_asked_for_their_room(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(1, "Operation not permitted")

    device.take(1, FIRST)
    monkeypatch.setattr(os, "link", refuse)
    contents = device.shop.release(2, SECOND)
    assert prepare(device.home, contents).needed == sum(map(len, SECOND.values()))
    assert device.install(contents).brought == 12
    assert device.files() == SECOND


def test_the_program_that_runs_is_not_brought_again(
    device: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "app" / "amauta"
    (program.parent / "_internal").mkdir(parents=True)
    program.write_bytes(b"program")
    (program.parent / "_internal" / "lib.so").write_bytes(some(8, 30_000))
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", str(program))
    folder = f"app/{platform_name()}"
    files = {f"{folder}/amauta": b"another", f"{folder}/_internal/lib.so": some(8, 30_000)}
    assert device.take(1, files).brought == len(b"another")
    assert device.files() == files


@pytest.mark.slow
@given(
    st.dictionaries(st.sampled_from("abcdef"), st.tuples(st.integers(0, 3), st.integers(0, 9_000))),
    st.dictionaries(st.sampled_from("abcdef"), st.tuples(st.integers(0, 3), st.integers(0, 9_000)), min_size=1),
)
@trying(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_from_any_release_to_any_other_every_byte_is_right(
    tmp_path: Path, old: dict[str, tuple[int, int]], new: dict[str, tuple[int, int]]
) -> None:
    shutil.rmtree(tmp_path / "any", ignore_errors=True)
    device = Device(tmp_path / "any", Shop())
    one, two = ({f"voices/{n}.onnx": some(*facts) for n, facts in files.items()} for files in (old, new))
    if one:
        device.take(1, one)
        device.open_app()
    contents = device.shop.release(2, two, old=one)
    moved = prepare(device.home, contents).plan.moved
    assert device.install(contents).brought == moved
    assert device.files() == two


def test_installing_what_is_installed_does_nothing(device: Device) -> None:
    device.take(1, FIRST)
    device.open_app()
    device.shop.asked.clear()
    assert device.take(1, FIRST) == Done(1, 0, 0, changed=False)
    assert not device.shop.asked
    assert device.releases.trial() is None


def test_a_damaged_release_is_mended_by_installing_it_again(device: Device) -> None:
    device.take(1, FIRST)
    device.take(2, SECOND)
    (device.releases.whole(2) / "packs/letras/lessons/a.md").write_bytes(b"")
    done = device.take(2, SECOND)
    assert done.changed
    assert done.brought == 9_000
    assert device.files() == SECOND
    assert device.releases.pointer().number == 2


def test_an_older_release_is_refused_with_a_way_back(device: Device) -> None:
    device.take(2, SECOND)
    with pytest.raises(UpdateError, match=r"Release 1 is older than 2.*\n.*amauta update --back"):
        device.take(1, FIRST)


def test_without_room_nothing_is_written(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    device.take(1, FIRST)
    usage = shutil.disk_usage(device.home)._replace(free=64 << 20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(UpdateError, match=r"67\.1 MB are needed and 67\.1 MB are free"):
        device.take(2, FIRST | {"voices/otra.onnx": some(9, 10_000)})
    assert not device.releases.staging(2).exists()
    assert device.files() == FIRST


def on_a_small_disk(work: Callable[[], object]) -> str:
    """Do the work in a process that may write no file of more than 30,000 bytes; return what was refused."""

    import resource

    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
        try:
            work()
        except EdgeError as error:
            os.write(there, error.key.encode())

    here, there = os.pipe()
    child = multiprocessing.get_context("fork").Process(target=limited)
    child.start()
    child.join()
    os.close(there)
    with os.fdopen(here, "rb") as pipe:
        return pipe.read().decode()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot limit the size of files")
def test_a_disk_that_becomes_full_keeps_the_old_release_and_gives_its_room_back(device: Device) -> None:
    device.take(1, {"voices/voz.onnx": some(2, 20_000)})
    assert on_a_small_disk(lambda: device.take(2, FIRST)) == "update-full"
    assert not device.releases.staging(2).exists()
    assert device.files() == {"voices/voz.onnx": some(2, 20_000)}


def test_a_stick_pulled_out_costs_only_what_is_still_to_come(device: Device) -> None:
    contents = device.shop.release(1, FIRST)
    taken = {part.sha256: device.shop.parts.pop(part.sha256) for part in contents.files[0].parts[6:]}
    with pytest.raises(KeyError):
        device.install(contents)
    assert device.releases.pointer() == Pointer(0, 0)
    device.shop.parts |= taken
    before = len(device.shop.asked)
    done = device.install(contents)
    assert done.brought == sum(map(len, FIRST.values())) - 6 * 4096
    assert len(device.shop.asked) - before == len({p.sha256 for f in contents.files for p in f.parts}) - 6
    assert device.files() == FIRST


def test_what_a_delta_made_before_the_stick_went_away_is_not_made_again(device: Device) -> None:
    device.take(1, FIRST)
    device.open_app()
    files = {"models/uno.gguf": b"new" + FIRST["models/uno.gguf"], "voices/otra.onnx": some(7, 10_000)}
    contents = device.shop.release(2, files, old={"models/uno.gguf": FIRST["models/uno.gguf"]})
    lost = contents.files[1].parts[0].sha256
    kept = device.shop.parts.pop(lost)
    with pytest.raises(KeyError):
        device.install(contents)
    device.shop.parts[lost] = kept
    assert device.install(contents).brought == 10_000


def test_two_updates_at_once_do_not_mix(device: Device) -> None:
    with alone(device.releases), pytest.raises(UpdateError, match="Another update is at work"):
        device.take(1, FIRST)
    assert device.take(1, FIRST).changed


def test_only_the_files_for_this_device_are_taken(device: Device) -> None:
    here = f"app/{platform_name()}/amauta"
    contents = device.shop.release(1, FIRST | {here: b"program", "app/solaris-sparc/amauta": b"other"})
    assert {f.path for f in for_this_device(contents, app=True).files} == {*FIRST, here}
    assert {f.path for f in for_this_device(contents).files} == {*FIRST}
    small = wanted(contents, platform_name(), app=False, ram_mb=1)
    assert small == for_this_device(contents)
    large = device.shop.release(3, {"models/uno.gguf": bytes(2 << 20), "voices/voz.onnx": bytes(2 << 20)})
    assert [f.path for f in wanted(large, platform_name(), app=False, ram_mb=1).files] == ["voices/voz.onnx"]
    with pytest.raises(UpdateError, match="holds nothing for this device"):
        device.install(for_this_device(device.shop.release(2, {here: b"program"})))


# What a cut leaves.


def test_what_a_cut_leaves_between_two_steps_starts_the_old_release(device: Device) -> None:
    device.take(1, FIRST)
    device.open_app()
    releases = device.releases
    releases.begin_trial(2, 1)
    (releases.folder / "2").mkdir()
    begin(device.home, {})
    assert releases.pointer() == Pointer(1, 0)
    assert releases.trial() is None
    assert device.take(2, SECOND).changed
    assert device.files() == SECOND


@pytest.mark.parametrize("content", [b"", b"\0\0\0", b"../../x\n", b"7\n1\n", b"\xff"])
def test_a_pointer_that_means_nothing_starts_what_is_whole(device: Device, content: bytes) -> None:
    device.take(1, FIRST)
    (device.releases.folder / "current").write_bytes(content)
    assert device.releases.pointer() == (Pointer(1, 0) if content == b"7\n1\n" else Pointer(0, 0))


# A release on trial.


def test_a_release_that_never_reaches_its_prompt_is_left_at_the_third_start(device: Device) -> None:
    device.take(1, FIRST)
    device.open_app()
    device.take(2, SECOND)
    for _ in range(2):
        begin(device.home, {})
        assert device.releases.pointer().number == 2
    begin(device.home, {})
    assert device.releases.pointer() == Pointer(1, 0)
    assert device.releases.failed() == (2, False)
    assert device.files() == FIRST
    # By hand it may be tried again, and nothing has to come for that.
    assert device.take(2, SECOND).brought == 0
    device.open_app()
    assert device.releases.failed()[0] == 0


def test_a_start_that_a_person_ended_by_choice_is_taken_back(device: Device) -> None:
    device.take(1, FIRST)
    for _ in range(4):
        begin(device.home, {})
        forgive(device.home)
    assert device.releases.trial() == Trial(1, 0, 0)
    begin(device.home, {})
    begin(device.home, {})
    forgive(device.home)
    assert device.releases.trial() == Trial(1, 0, 1)


def test_a_release_that_reached_its_prompt_stays_and_the_ones_before_the_last_go(device: Device) -> None:
    for number in (1, 2, 3):
        device.take(number, FIRST | {"packs/letras/pack.toml": f"version = {number}\n".encode()})
        device.open_app()
    for _ in range(5):
        begin(device.home, {})
    assert device.releases.pointer() == Pointer(3, 2)
    assert device.releases.numbers() == [2, 3]


def test_the_running_release_proves_itself_and_not_the_one_installed_meanwhile(device: Device) -> None:
    device.take(1, FIRST)
    device.open_app()
    device.take(2, SECOND)
    reached(device.home, 1)
    trial = device.releases.trial()
    assert trial is not None
    assert (trial.number, trial.starts) == (2, 0)


def test_a_release_on_trial_is_never_the_one_to_go_back_to(device: Device) -> None:
    device.take(1, FIRST)
    device.open_app()
    device.take(2, SECOND)
    device.take(3, FIRST)
    assert device.releases.pointer() == Pointer(3, 1)


def test_the_first_release_gives_way_to_what_came_with_the_app(device: Device) -> None:
    device.take(1, FIRST)
    for _ in range(3):
        begin(device.home, {})
    assert device.releases.pointer() == Pointer(0, 0)
    assert load({"AMAUTA_HOME": str(device.home)}).shelves == ()


def test_tables_that_a_failed_release_changed_are_as_before(device: Device) -> None:
    store = device.home / "amauta.db"
    with Store.open(store) as opened:
        opened.append_turn(learner="", question="¿Qué es?", mode="none", text="", lesson="", at="2026")
    device.take(1, FIRST)
    begin(device.home, {})
    connection = sqlite3.connect(store)
    with connection:
        connection.execute("INSERT INTO _sqlite_migrations VALUES (9, 'amauta-store', '0009_later', '2026')")
    connection.close()
    for _ in range(2):
        begin(device.home, {})
    with Store.open(store) as opened:
        assert [turn.question for turn in opened.turns("", 10)] == ["¿Qué es?"]


def test_going_back_by_hand_is_one_step(device: Device) -> None:
    device.take(1, FIRST)
    device.open_app()
    device.take(2, SECOND)
    go_back(device.releases, device.releases.pointer().before)
    assert device.releases.pointer() == Pointer(1, 0)
    assert load({"AMAUTA_HOME": str(device.home)}).shelves == (device.releases.whole(1),)


# The launcher.

needs_sh = pytest.mark.skipif(sys.platform != "linux", reason="the launcher of Linux")
APP = f"app/{platform_name()}/amauta"
WORKS = b'#!/bin/sh\necho "$AMAUTA_RELEASE: $*"\n'
BREAKS = b"#!/bin/sh\nexit 3\n"


def launch(device: Device, *given: str, launcher: Path = LAUNCHER) -> str:
    done = subprocess.run(
        ["sh", str(launcher), *given],
        capture_output=True,
        text=True,
        env={**os.environ, "AMAUTA_HOME": str(device.home)},
    )
    return done.stdout.strip() or f"exit {done.returncode}"


@needs_sh
def test_the_launcher_starts_the_release_in_use_and_passes_its_arguments_on(device: Device) -> None:
    device.take(1, FIRST | {APP: WORKS})
    assert launch(device, "ask", "¿Por qué?") == "1: ask ¿Por qué?"
    assert device.releases.trial() is not None
    assert device.releases.trial().starts == 0  # type: ignore[union-attr]


@needs_sh
def test_the_launcher_gives_up_a_program_that_cannot_even_begin(device: Device) -> None:
    device.take(1, FIRST | {APP: WORKS})
    device.open_app()
    device.take(2, SECOND | {APP: BREAKS})
    assert [launch(device) for _ in range(4)] == ["exit 3", "exit 3", "1:", "1:"]
    # The program it starts then makes that last.
    begin(device.home, {"AMAUTA_RELEASE": "1"})
    assert device.releases.pointer() == Pointer(1, 0)
    assert device.releases.failed() == (2, False)


@needs_sh
def test_launcher_and_program_count_a_start_once(device: Device) -> None:
    device.take(1, FIRST | {APP: WORKS})
    for starts in (1, 2):
        assert launch(device, "tutor") == "1: tutor"
        begin(device.home, {"AMAUTA_RELEASE": "1"})
        assert device.releases.trial().starts == starts  # type: ignore[union-attr]
    assert launch(device) == "exit 1"  # nothing lies beside the launcher here


def test_an_update_that_ends_while_the_old_program_opens_is_not_given_up_for_it(device: Device) -> None:
    device.take(1, FIRST)
    device.open_app()
    device.take(2, SECOND)
    begin(device.home, {"AMAUTA_RELEASE": "1"})
    trial = device.releases.trial()
    assert trial is not None
    assert (device.releases.pointer().number, trial.starts) == (2, 0)


@needs_sh
def test_the_launcher_on_a_stick_starts_the_program_of_the_stick(device: Device, tmp_path: Path) -> None:
    stick = tmp_path / "una memoria"
    program = stick / "AMAUTA" / APP
    program.parent.mkdir(parents=True)
    program.write_bytes(b'#!/bin/sh\necho "$AMAUTA_RELEASE $AMAUTA_STICK"\n')
    program.chmod(0o755)
    launcher = Path(shutil.copy(LAUNCHER, stick))
    assert launch(device, launcher=launcher) == f"0 {stick / 'AMAUTA'}"
    device.take(1, FIRST)
    device.open_app()
    assert launch(device, launcher=launcher).startswith("1 ")


def test_the_launcher_of_windows_has_the_line_ends_its_shell_needs() -> None:
    content = LAUNCHER.with_name("Amauta-Windows.bat").read_bytes()
    assert content.isascii()
    assert content.count(b"\n") == content.count(b"\r\n") > 50


# The stick.


def test_a_stick_is_found_where_systems_mount_it(tmp_path: Path) -> None:
    own, person = tmp_path / "STICK", tmp_path / "rosa" / "OTRA"
    for stick in (own, person):
        (stick / "AMAUTA" / "release" / "metadata").mkdir(parents=True)
    (tmp_path / "rosa" / "FOTOS").mkdir()
    assert find({}, [tmp_path, tmp_path / "absent"]) == [own / "AMAUTA/release", person / "AMAUTA/release"]
    named = {"AMAUTA_STICK": str(person / "AMAUTA")}
    assert find(named, [tmp_path])[0] == person / "AMAUTA/release"
