"""The depot keeps verified files: each once, whole or not at all, through kills, full disks and two technicians."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devkit.cli import main
from devkit.depot import Depot
from devkit.depot.store import parse
from devkit.errors import KitError
from serving import Site, cut, drop, instead, serving, slow

ROOT = Path(__file__).parents[2]
PACK, MINI = ROOT / "edge" / "packs" / "primaria", ROOT / "edge" / "models" / "mini" / "mini.gguf"
VOICE = ROOT / "tests" / "data" / "voices" / "es_tiny.onnx"
ONE, TWO = random.Random(1).randbytes(700_000), random.Random(2).randbytes(400_000)


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def depot(tmp_path: Path) -> Depot:
    return Depot(tmp_path / "depot")


def kit(depot: Depot, action: str, *argv: str | Path) -> int:
    return main(["depot", action, *map(str, argv), "--depot", str(depot.folder)])


def listed(depot: Depot, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert kit(depot, "list", "--json") == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["entries"]
    return found


def objects(depot: Depot) -> list[Path]:
    return list((depot.folder / "objects").glob("??/*"))


def build(folder: Path, platform: str, content: bytes = b"program") -> Path:
    """Make what `freeze` leaves."""
    (folder / "_internal").mkdir(parents=True)
    files = {"amauta": content, "_internal/lib.so": b"library"}
    for name, held in files.items():
        (folder / name).write_bytes(held)
    rows = [{"path": n, "size": len(c), "sha256": sha(c), "mode": 493} for n, c in files.items()]
    facts = {"version": "0.2.0", "platform": platform, "glibc": "2.31", "size": 9, "files": rows}
    (folder / "build.json").write_text(json.dumps(facts))
    return folder


def zipped(folder: Path) -> Path:
    with zipfile.ZipFile(folder.with_suffix(".zip"), "w") as archive:
        for path in folder.rglob("*"):
            archive.write(path, f"{folder.name}/{path.relative_to(folder).as_posix()}")
    return folder.with_suffix(".zip")


def image(folder: Path) -> Path:
    file = folder / "amauta-0.2.0-live-amd64.img"
    file.write_bytes(ONE)
    file.with_suffix(".json").write_text(json.dumps({"version": "0.2.0", "size": len(ONE), "sha256": sha(ONE)}))
    file.with_suffix(".bmap").write_text("<bmap/>")
    return file


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


def adapter(file: Path) -> Path:
    """Write a whole small GGUF that says it is an adapter."""
    fields = {"general.architecture": "llama", "general.type": "adapter", "adapter.type": "lora"}
    head = b"GGUF" + struct.pack("<IQQ", 3, 1, len(fields))
    head += b"".join(text(name) + struct.pack("<I", 8) + text(value) for name, value in fields.items())
    head += text("blk.0.attn_q.weight.lora_a") + struct.pack("<IQIQ", 1, 8, 0, 0)
    file.write_bytes(head + bytes(-len(head) % 32) + bytes(32))
    return file


def test_everything_a_technician_carries_comes_in_by_its_own_check(
    depot: Depot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app = build(tmp_path / "amauta-0.2.0-linux-x86_64", "linux-x86_64")
    windows = zipped(build(tmp_path / "amauta-0.2.0-windows-x86_64", "windows-x86_64"))
    lora = adapter(tmp_path / "quechua.gguf")
    assert kit(depot, "add", PACK, MINI, VOICE, app, windows, image(tmp_path), lora) == 0
    found = {(row["kind"], row["id"]): row for row in listed(depot, capsys)}
    assert set(found) == {
        ("pack", "primaria"), ("lm", "mini"), ("voice", "es_tiny"), ("adapter", "quechua"),
        ("app", "amauta-0.2.0-linux-x86_64"), ("app", "amauta-0.2.0-windows-x86_64"),
        ("image", "amauta-0.2.0-live-amd64"),
    }  # fmt: skip
    paths = {file["path"] for row in found.values() for file in row["files"]}
    assert {"models/mini.gguf", "voices/es_tiny.onnx.json", "packs/primaria/pack.toml"} <= paths
    assert {"app/linux-x86_64/amauta", "app/windows-x86_64/_internal/lib.so", "adapters/quechua.gguf"} <= paths
    assert kit(depot, "verify") == 0


def test_two_things_with_the_same_bytes_are_kept_once(depot: Depot, tmp_path: Path) -> None:
    build(tmp_path / "amauta-0.2.0-linux-x86_64", "linux-x86_64")
    build(tmp_path / "amauta-0.2.0-windows-x86_64", "windows-x86_64")
    assert kit(depot, "add", *sorted(tmp_path.glob("amauta-*"))) == 0
    assert len(objects(depot)) == 2


def test_adding_again_changes_nothing_and_another_content_needs_to_be_wanted(
    depot: Depot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app = build(tmp_path / "amauta-0.2.0-linux-x86_64", "linux-x86_64")
    assert kit(depot, "add", app) == 0
    before = {path: path.stat().st_mtime_ns for path in objects(depot)}
    assert kit(depot, "add", app) == 0
    assert {path: path.stat().st_mtime_ns for path in objects(depot)} == before
    shutil.rmtree(app)
    build(app, "linux-x86_64", b"another program")
    assert kit(depot, "add", app) == 1
    assert "--replace" in capsys.readouterr().err
    assert kit(depot, "add", app, "--replace") == 0


def test_an_older_pack_never_hides_a_newer_one(depot: Depot, tmp_path: Path) -> None:
    new = shutil.copytree(PACK, tmp_path / "new")
    (new / "pack.toml").write_text((new / "pack.toml").read_text().replace("version = 1", "version = 7"))
    assert kit(depot, "add", PACK, new) == 0
    assert kit(depot, "add", PACK) == 1
    assert [entry.version for entry in depot.entries()] == ["7"]


def no_pack(folder: Path) -> Path:
    (pack := folder / "p").mkdir()
    (pack / "pack.toml").write_text("id = 3")
    return pack


def cut_model(folder: Path) -> Path:
    (folder / "m.gguf").write_bytes(MINI.read_bytes()[:5_000_000])
    return folder / "m.gguf"


def other_bytes_in_an_app(folder: Path) -> Path:
    app = build(folder / "amauta-0.2.0-linux-x86_64", "linux-x86_64")
    (app / "amauta").write_bytes(b"PROGRAM")
    return app


def an_app_that_climbs(folder: Path) -> Path:
    app = build(folder / "amauta-0.2.0-linux-x86_64", "linux-x86_64")
    (app / "build.json").write_text((app / "build.json").read_text().replace('"amauta"', '"../amauta"'))
    return app


def a_zip_that_lacks_a_file(folder: Path) -> Path:
    app = build(folder / "amauta-0.2.0-linux-x86_64", "linux-x86_64")
    (app / "amauta").unlink()
    return zipped(app)


def a_changed_image(folder: Path) -> Path:
    file = image(folder)
    file.write_bytes(ONE[:-1] + b"x")
    return file


def an_image_alone(folder: Path) -> Path:
    file = image(folder)
    file.with_suffix(".json").unlink()
    return file


def a_mute_voice(folder: Path) -> Path:
    shutil.copy(VOICE, folder / "v.onnx")
    return folder / "v.onnx"


SPOILT = (
    no_pack, cut_model, other_bytes_in_an_app, an_app_that_climbs, a_zip_that_lacks_a_file, a_changed_image,
    an_image_alone, a_mute_voice,
)  # fmt: skip


@pytest.mark.parametrize("spoil", SPOILT)
def test_what_is_damaged_stays_out_with_one_clear_sentence(
    depot: Depot, tmp_path: Path, capsys: pytest.CaptureFixture[str], spoil: Callable[[Path], Path]
) -> None:
    assert kit(depot, "add", spoil(tmp_path)) == 1
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert 2 <= len(said.splitlines()) <= 3
    assert depot.entries() == []
    assert list(depot.incoming.glob("*")) == []


def test_one_bad_path_does_not_keep_the_others_out(depot: Depot, tmp_path: Path) -> None:
    assert kit(depot, "add", tmp_path / "nothing", PACK, tmp_path) == 1
    assert [entry.id for entry in depot.entries()] == ["primaria"]


# From the net


def manifest(folder: Path, **files: bytes) -> Path:
    """Write a catalogue of models with these contents."""
    rows = [
        {
            "id": name, "kind": "lm", "file": f"{name}.gguf", "embedded": False, "verified": False, "languages": ["es"],
            "url": f"https://example.org/{name}.gguf", "size": len(content), "sha256": sha(content), "licence": None,
            "min_ram_mb": 1024, "card": None,
        }
        for name, content in files.items()
    ]  # fmt: skip
    path = folder / "manifest.json"
    path.write_text(json.dumps({"release": 1, "artifacts": rows}))
    return path


@pytest.fixture
def site() -> Iterator[Site]:
    with serving({"/one.gguf": ONE, "/two.gguf": TWO, "/same.gguf": ONE}) as served:
        yield served


def sync(depot: Depot, folder: Path, site: Site, *names: str) -> int:
    catalogue = manifest(folder, one=ONE, two=TWO, same=ONE)
    return kit(depot, "sync", "--from", site.url, "--manifest", catalogue, "--catalogue", *names)


def test_sync_asks_for_each_content_once_and_never_again(
    depot: Depot, tmp_path: Path, site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sync(depot, tmp_path, site, "one", "two", "same") == 0
    assert site.served_bytes == len(ONE) + len(TWO)
    assert {entry.id for entry in depot.entries()} == {"one", "two", "same"}
    asked = len(site.asked)
    capsys.readouterr()
    assert sync(depot, tmp_path, site, "one", "two", "same") == 0
    assert len(site.asked) == asked
    assert "Faltan 0 archivos" in capsys.readouterr().err


def test_sync_goes_on_after_a_cut_at_the_byte_where_it_stopped(depot: Depot, tmp_path: Path, site: Site) -> None:
    site.script = [cut(300_000)]
    assert sync(depot, tmp_path, site, "one") == 0
    assert site.ranges() == ["", "bytes=300000-"]
    assert site.served_bytes == len(ONE)


def test_several_come_at_once(depot: Depot, tmp_path: Path, site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.script = [slow(40_000, 0.02), slow(40_000, 0.02)]
    assert sync(depot, tmp_path, site, "one", "two") == 0
    lines = capsys.readouterr().err.splitlines()
    ends = [number for number, line in enumerate(lines) if "listo y comprobado" in line]
    assert {line.split(":")[0] for line in lines[: ends[0]]} >= {"one.gguf", "two.gguf"}


def test_a_lying_server_gives_nothing_and_the_rest_comes(
    depot: Depot, tmp_path: Path, site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.files["/two.gguf"] = bytes(len(TWO))
    assert sync(depot, tmp_path, site, "one", "two") == 1
    assert "two.gguf" in capsys.readouterr().err
    assert [entry.id for entry in depot.entries()] == ["one"]
    assert sha(bytes(len(TWO))) not in {path.name for path in objects(depot)}


def test_dry_run_says_what_would_come_and_asks_for_nothing(
    depot: Depot, tmp_path: Path, site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    catalogue = manifest(tmp_path, one=ONE)
    argv = ("--from", site.url, "--manifest", catalogue, "--dry-run", "--catalogue", "one")
    assert kit(depot, "sync", *argv) == 0
    assert "0.7 MB" in capsys.readouterr().err
    assert site.asked == []


def test_two_technicians_on_one_depot_fetch_each_file_once(depot: Depot, tmp_path: Path, site: Site) -> None:
    site.script = [slow(50_000, 0.05), slow(50_000, 0.05)]
    catalogue = manifest(tmp_path, one=ONE, two=TWO)
    command = [
        sys.executable, "-m", "devkit.cli", "depot", "sync", "--from", site.url, "--manifest", str(catalogue),
        "--depot", str(depot.folder), "--catalogue", "one", "two",
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "packaging")))}
    running = [subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate()[1] for process in running]
    assert [process.returncode for process in running] == [0, 0], said
    assert site.served_bytes == len(ONE) + len(TWO)
    assert len(depot.entries()) == 2


def test_ctrl_c_stops_all_and_the_next_try_goes_on(depot: Depot, tmp_path: Path, site: Site) -> None:
    site.script = [instead(b""), drop]  # two refusals come first, so that waiting is stopped too
    site.script += [slow(20_000, 0.05)] * 8
    catalogue = manifest(tmp_path, one=ONE, two=TWO)
    command = [
        sys.executable, "-m", "devkit.cli", "depot", "sync", "--from", site.url, "--manifest", str(catalogue),
        "--depot", str(depot.folder), "--catalogue", "one", "two",
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "packaging")))}
    # A test run that was itself started in the background ignores Ctrl+C, and so would what it starts.
    heeding = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)} if os.name == "posix" else {}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, **heeding) as process:
        while site.served_bytes < 100_000:
            assert process.poll() is None
        process.send_signal(2)
        _, said = process.communicate(timeout=10)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert depot.entries() == []
    site.script, served = [], site.served_bytes
    assert sync(depot, tmp_path, site, "one", "two") == 0
    assert site.served_bytes - served < len(ONE) + len(TWO)


# Power and disks


def kills(depot: Depot, count: int, longest: float, *arguments: str) -> tuple[int, int]:
    program = Path(__file__).with_name("depot_kills.py")
    path = os.pathsep.join((str(ROOT), str(ROOT / "packaging")))
    done = subprocess.run(
        [sys.executable, str(program), str(depot.folder), str(count), str(longest), *arguments],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    killed, looked = map(int, done.stdout.split())
    return killed, looked


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a fork")
def test_killed_at_any_instant_of_add_nothing_half_stands_under_a_hash(depot: Depot, tmp_path: Path) -> None:
    files = []
    for number in range(6):
        files.append(tmp_path / f"m{number}.gguf")
        files[-1].write_bytes(random.Random(number).randbytes(1_500_000))
    killed, looked = kills(depot, 80, 0.12, "add", *map(str, files))
    assert killed > 20
    assert looked > 10
    assert len(depot.entries()) == 6


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a fork")
def test_killed_at_any_instant_of_sync_nothing_half_stands_under_a_hash(
    depot: Depot, tmp_path: Path, site: Site
) -> None:
    catalogue = manifest(tmp_path, one=ONE, two=TWO, same=ONE)
    killed, looked = kills(depot, 80, 0.15, "sync", str(catalogue), site.url, "one", "two", "same")
    assert killed > 20
    assert looked > 10
    assert len(depot.entries()) == 3


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a small disk can only be mounted by root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_named_and_nothing_half_stays(
    small_disk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    depot = Depot(small_disk / "depot")
    (tmp_path / "big.bin").write_bytes(bytes(2_000_000))
    with pytest.raises(KitError) as caught:
        depot.put("lm", "big", "", "", {"models/big.gguf": tmp_path / "big.bin"})
    assert caught.value.key == "depot-full"
    assert objects(depot) == list(depot.incoming.glob("*")) == []
    assert kit(depot, "add", MINI) == 1
    assert "No queda espacio" in capsys.readouterr().err


def test_sync_refuses_before_it_begins_when_there_is_no_room(
    small_disk: Path, tmp_path: Path, site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sync(Depot(small_disk / "depot"), tmp_path, site, "one") == 1
    assert "MB libres" in capsys.readouterr().err
    assert site.asked == []


# Care


def test_verify_names_what_is_broken_and_how_to_mend_it(
    depot: Depot, tmp_path: Path, site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sync(depot, tmp_path, site, "one", "two") == 0
    assert kit(depot, "add", PACK) == 0
    depot.path(sha(ONE)).write_bytes(ONE[:-1] + b"x")
    depot.path(sha(TWO)).unlink()
    (depot.folder / "entries" / "pack" / "primaria.json").write_text("{")
    capsys.readouterr()
    assert kit(depot, "verify", "--json") == 1
    damages = json.loads(capsys.readouterr().out)["damages"]
    assert {(d["what"], d["name"]) for d in damages} == {("changed", "one"), ("missing", "two"), ("entry", "primaria")}
    assert all(str(depot.folder) in d["mend"] for d in damages)
    (depot.folder / "entries" / "pack" / "primaria.json").unlink()
    assert sync(depot, tmp_path, site, "one", "two") == 0
    assert kit(depot, "add", PACK) == 0
    assert kit(depot, "verify") == 0


def test_gc_removes_only_what_no_entry_names_and_says_so_first(
    depot: Depot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert kit(depot, "add", PACK) == 0
    (tmp_path / "lost").write_bytes(ONE)
    depot.take(tmp_path / "lost")
    part = depot.incoming / "half.abc.part"
    part.write_bytes(b"half")
    assert kit(depot, "gc", "--dry-run") == 0
    assert sha(ONE) in capsys.readouterr().out
    assert depot.has(sha(ONE))
    assert kit(depot, "gc") == 0
    assert not depot.has(sha(ONE))
    assert part.exists()
    assert kit(depot, "gc", "--unfinished") == 0
    assert not part.exists()
    assert kit(depot, "verify") == 0


def test_rm_takes_off_the_list_and_gc_frees_only_what_nothing_else_names(
    depot: Depot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build(tmp_path / "amauta-0.2.0-linux-x86_64", "linux-x86_64")
    build(tmp_path / "amauta-0.2.0-windows-x86_64", "windows-x86_64", b"another")
    assert kit(depot, "add", *sorted(tmp_path.glob("amauta-*"))) == 0
    assert kit(depot, "rm", "amauta-0.2.0-linux-x86_64", "nothing") == 1
    assert "«nothing»" in capsys.readouterr().err
    assert kit(depot, "rm", "amauta-0.2.0-linux-x86_64", "--dry-run") == 0
    assert len(depot.entries()) == 2
    assert kit(depot, "rm", "amauta-0.2.0-linux-x86_64") == 0
    assert kit(depot, "gc") == 0
    assert {path.name for path in objects(depot)} == {sha(b"another"), sha(b"library")}
    assert kit(depot, "verify") == 0


def test_gc_removes_nothing_while_an_entry_cannot_be_read(depot: Depot, capsys: pytest.CaptureFixture[str]) -> None:
    assert kit(depot, "add", PACK) == 0
    (depot.folder / "entries" / "pack" / "primaria.json").write_text("{}")
    before = len(objects(depot))
    assert kit(depot, "gc") == 1
    assert "primaria.json" in capsys.readouterr().err
    assert len(objects(depot)) == before


@pytest.mark.skipif(os.name != "posix", reason="files are locked another way there")
def test_gc_waits_for_nobody_and_disturbs_nobody(depot: Depot, capsys: pytest.CaptureFixture[str]) -> None:
    with depot.open(), depot.open():
        assert kit(depot, "gc") == 1
    assert "Otro amauta-kit" in capsys.readouterr().err
    assert kit(depot, "gc") == 0


def test_a_colleagues_disk_gives_what_is_missing_and_nothing_damaged(
    depot: Depot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Depot(tmp_path / "colleague")
    assert kit(other, "add", PACK, MINI, VOICE) == 0
    assert kit(depot, "add", PACK) == 0
    broken = next(entry for entry in other.entries() if entry.id == "mini").files[0]
    other.path(broken.sha256).write_bytes(bytes(broken.size))
    before = {path: path.stat().st_mtime_ns for path in objects(depot)}
    assert kit(depot, "add", other.folder) == 1
    assert "mini" in capsys.readouterr().err or broken.sha256[:12] in capsys.readouterr().err
    assert {entry.id for entry in depot.entries()} == {"primaria", "es_tiny"}
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert not depot.has(sha(bytes(broken.size)))
    assert kit(depot, "verify") == 0


FACTS = st.dictionaries(
    st.sampled_from(["kind", "id", "version", "platform", "files"]),
    st.none() | st.integers() | st.text(max_size=6) | st.lists(st.dictionaries(st.text(max_size=3), st.integers())),
)


@given(FACTS)
def test_an_entry_is_read_exactly_or_refused(row: dict[str, object]) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        parse(row)


NAMES = st.text(st.sampled_from("ab./\\ CON:*ñ\x00"), max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(NAMES)
def test_no_name_leads_out_of_a_stick(tmp_path: Path, name: str) -> None:
    depot, file = Depot(tmp_path / "depot"), tmp_path / "file"
    file.write_bytes(b"x")
    try:
        entry = depot.put("lm", "x", "", "", {name: file})
    except KitError as error:
        if error.key != "depot-name":
            raise
        return
    assert ".." not in entry.files[0].path.split("/")
    assert entry.files[0].path.isascii()
    assert "\\" not in entry.files[0].path


def test_without_a_source_it_says_what_there_is(depot: Depot, capsys: pytest.CaptureFixture[str]) -> None:
    assert kit(depot, "sync") == 1
    assert "--catalogue" in capsys.readouterr().err
    assert kit(depot, "list") == 1
    assert str(depot.folder) in capsys.readouterr().err
