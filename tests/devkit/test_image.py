"""The stick that starts a computer: its table, its starter, its layers' recipes, and what is refused."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devkit.cli import main
from devkit.errors import KitError
from devkit.image import layers, layout, tools
from devkit.image.build import make_image
from devkit.write.source import read_bmap
from edge.files import sha256_of

SCRIPTS = layers.SYSTEM / "usr/lib/amauta"
TOOLS = ("sfdisk", "mkfs.vfat", "mcopy", "grub-mkimage")
can_make = pytest.mark.skipif(
    not all(shutil.which(tool) or Path("/usr/sbin", tool).exists() for tool in TOOLS)
    or not (tools.GRUB_BIOS / "boot.img").exists(),
    reason=f"needs {', '.join(TOOLS)} and grub-pc-bin",
)


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A folder as `freeze` leaves it, empty of code."""
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "build.json").write_text(json.dumps({"version": "9.9.9", "platform": "linux-x86_64", "files": []}))
    (folder / "amauta").write_text("#!/bin/sh\n")
    return folder


@can_make
def test_the_image_has_a_starter_for_bios_and_a_volume_every_computer_reads_and_its_map_fits(tmp_path: Path) -> None:
    tree = tmp_path / "stick"
    (tree / "live").mkdir(parents=True)
    (tree / "live/filesystem.squashfs").write_bytes(os.urandom(300_000))
    image = make_image(tree, tmp_path)
    table = json.loads(subprocess.check_output(["/usr/sbin/sfdisk", "-J", image]))["partitiontable"]
    assert [part["name"] for part in table["partitions"]] == ["arranque", "AMAUTA"]
    assert table["label"] == "gpt"
    content = image.read_bytes()
    core = layout.BIOS_START // layout.SECTOR
    assert content[510:512] == b"\x55\xaa"
    assert struct.unpack_from("<Q", content, 0x5C)[0] == core
    assert struct.unpack_from("<Q", content, layout.BIOS_START + 500)[0] == core + 1
    seen = subprocess.check_output(["mtype", "-i", f"{image}@@{layout.FAT_START}", "::live/filesystem.squashfs"])
    assert seen == (tree / "live/filesystem.squashfs").read_bytes()
    bmap = tmp_path / "x.bmap"
    bmap.write_text(layout.block_map(len(content), hashlib.sha256(content).hexdigest()))
    assert read_bmap(bmap, image, len(content)).content == ((0, len(content)),)


@can_make
@pytest.mark.skipif(shutil.which("bmaptool") is None, reason="needs bmap-tools")
def test_bmaptool_accepts_our_map_and_copies_the_same_bytes(tmp_path: Path) -> None:
    tree = tmp_path / "stick"
    tree.mkdir()
    (tree / "a.bin").write_bytes(os.urandom(50_000))
    image = make_image(tree, tmp_path)
    (tmp_path / "x.bmap").write_text(layout.block_map(image.stat().st_size, sha256_of(image)))
    command = ["bmaptool", "-q", "copy", "--bmap", str(tmp_path / "x.bmap"), str(image), str(tmp_path / "copy.img")]
    subprocess.run(command, check=True, capture_output=True)
    assert (tmp_path / "copy.img").read_bytes() == image.read_bytes()


@can_make
def test_a_larger_stick_has_room_for_the_data_behind_the_image(tmp_path: Path) -> None:
    tree = tmp_path / "stick"
    tree.mkdir()
    image = make_image(tree, tmp_path)
    with image.open("r+b") as stick:
        stick.truncate(image.stat().st_size + (200 << 20))
    sfdisk = ["/usr/sbin/sfdisk", "-q", "--no-reread", "--force"]
    subprocess.run([*sfdisk, "--relocate", "gpt-bak-std", image], check=True)
    subprocess.run([*sfdisk, "--append", image], input=b"name=AMAUTA-DATOS, type=L\n", check=True, capture_output=True)
    parts = json.loads(subprocess.check_output(["/usr/sbin/sfdisk", "-J", image]))["partitiontable"]["partitions"]
    assert parts[2]["name"] == "AMAUTA-DATOS"
    assert parts[2]["size"] * 512 > 190 << 20


@given(st.integers(0, 8 << 30))
def test_the_volume_always_holds_its_files_and_ends_on_a_mebibyte(contents: int) -> None:
    fat = layout.fat_bytes(contents)
    assert fat >= contents + (8 << 20)
    assert fat % layout.MIB == 0
    assert layout.image_bytes(fat) > layout.FAT_START + fat


def test_a_core_that_would_run_into_the_volume_is_refused() -> None:
    with pytest.raises(ValueError, match=str(layout.BIOS_SIZE + 1)):
        layout.core_in_place(bytes(layout.BIOS_SIZE + 1))


def test_the_base_is_made_anew_when_any_part_of_its_recipe_changes() -> None:
    assert layout.base_key([b"ab", b"c"]) != layout.base_key([b"a", b"bc"])
    assert layers.base_folder("amd64") != layers.base_folder("arm64")


def test_what_debian_has_installed_goes_into_the_receipt_and_what_was_removed_does_not() -> None:
    status = "Package: b\nStatus: install ok installed\nVersion: 2-1\nDescription: x\n y: z\n\nPackage: a\nStatus: deinstall ok config-files\nVersion: 1\n\n"
    assert layout.packages_of(status) == {"b": "2-1"}


@pytest.mark.parametrize("arch", ["amd64", "arm64"])
def test_nothing_that_speaks_to_a_network_is_asked_for(arch: str) -> None:
    names = " ".join(layers.packages(arch))
    assert not any(word in names for word in ("ssh", "network", "dhcp", "avahi", "wpa", "iproute", "ifupdown", "sudo"))
    assert {"net", "drivers/net"} <= set(layout.listed(layers.MODULES.read_text(encoding="utf-8")))


def test_every_unit_runs_a_script_that_exists_and_what_is_switched_on_is_what_must_be() -> None:
    units = {
        path.name: path.read_text(encoding="utf-8") for path in (layers.SYSTEM / "etc/systemd/system").glob("amauta-*")
    }
    for text in units.values():
        for line in layout.listed(text):
            if line.startswith(("ExecStart=/usr/lib/amauta", "ExecStop=/usr/lib/amauta")):
                program = layers.SYSTEM / line.partition("=")[2].split()[0].lstrip("/")
                assert os.access(program, os.X_OK)
    on = {name for name, text in units.items() if layout.wanted_by(text)}
    assert on == {"amauta-tutor.service", "amauta-off.path", "amauta-report.service"}


@pytest.mark.skipif(shutil.which("grub-script-check") is None, reason="needs grub-common")
def test_the_starter_understands_its_script_and_speaks_to_three_kinds_of_people() -> None:
    script = layers.RECIPES / "grub.cfg"
    assert subprocess.run(["grub-script-check", script], check=False).returncode == 0
    said = [line for line in script.read_text(encoding="utf-8").splitlines() if line.strip().startswith("echo")]
    # The font of the starter has no other letters.
    assert all(line.isascii() for line in said)
    for word in ("Abriendo", "Abrindo", "Opening"):
        assert any(word in line for line in said)


def test_where_a_system_would_open_a_shell_this_one_says_what_happened() -> None:
    units = layers.SYSTEM / "etc/systemd/system"
    for name in ("emergency.service", "rescue.service"):
        assert "ExecStart=/usr/lib/amauta/stopped" in (units / name).read_text(encoding="utf-8").splitlines()
    for script in (layers.BASE / "initramfs").iterdir():
        assert subprocess.run(["sh", "-n", script], check=False).returncode == 0
        assert script.name in layers.FINISH.read_text(encoding="utf-8")
        said = next(text for text in script.read_text(encoding="utf-8").splitlines() if text.startswith("printf"))
        # The console's own letters at that time: no more than these.
        assert said.isascii()


def test_a_stick_is_opened_for_the_tutor_where_it_looks_and_nothing_on_it_is_run() -> None:
    rule = (layers.SYSTEM / "etc/udev/rules.d/70-amauta-stick.rules").read_text(encoding="utf-8")
    assert 'SYSTEMD_WANTS}+="amauta-stick@%k.service"' in rule
    script = (SCRIPTS / "stick").read_text(encoding="utf-8")
    assert "nodev,nosuid,noexec" in script
    named = next(line for line in script.splitlines() if line.strip().startswith("name=")).split("| ", 1)[1].rstrip(")")
    from edge.update.mochila import MOUNTS

    place = Path(next(line for line in script.splitlines() if line.startswith("PLACES=")).partition("=")[2])
    assert str(place.parent) in MOUNTS, "the tutor does not look for sticks there"
    assert subprocess.check_output(["sh", "-c", named], input="Aula 3/..\n", text=True) == "Aula_3___\n"


def test_a_data_partition_is_made_again_only_until_it_has_its_name() -> None:
    script = (SCRIPTS / "data").read_text(encoding="utf-8")
    made = script[script.index("make_volume() {") : script.index("open_volume() {")]
    # The name in the table comes last; nothing else makes file systems, and only what is not finished is made.
    assert made.index("mkfs.ext4") < made.index("--part-label")
    assert script.count("mkfs.ext4") == script.count("luksFormat") == 1
    assert script.count("make_volume") == 2


def test_the_tutor_runs_without_rights_without_network_and_again_whenever_it_ends() -> None:
    lines = layout.listed((layers.SYSTEM / "etc/systemd/system/amauta-tutor.service").read_text(encoding="utf-8"))
    assert {
        "User=amauta",
        "SupplementaryGroups=audio",
        "NoNewPrivileges=yes",
        "PrivateNetwork=yes",
        "Restart=always",
    } <= set(lines)


def test_the_tutor_is_drawn_on_the_screen_and_textual_draws_on_the_error_stream() -> None:
    lines = layout.listed((layers.SYSTEM / "etc/systemd/system/amauta-tutor.service").read_text(encoding="utf-8"))
    assert {"StandardInput=tty-force", "StandardOutput=tty", "StandardError=tty", "TTYPath=/dev/tty1"} <= set(lines)


@pytest.mark.skipif(os.name != "posix", reason="needs sh")
@pytest.mark.parametrize("script", sorted(SCRIPTS.iterdir()), ids=lambda path: path.name)
def test_every_script_of_the_stick_is_a_script(script: Path) -> None:
    assert subprocess.run(["sh", "-n", script], check=False).returncode == 0


@pytest.mark.skipif(os.name != "posix", reason="needs sh")
@pytest.mark.parametrize(("lang", "word"), [("es", "contraseña"), ("pt", "senha")])
def test_the_stick_speaks_the_same_sentences_in_both_languages(lang: str, word: str) -> None:
    names = {
        line.split("=")[0].strip()
        for line in (SCRIPTS / "words").read_text(encoding="utf-8").splitlines()
        if '="' in line
    }
    said = subprocess.check_output(["sh", "-c", f'LANG_={lang}; . "{SCRIPTS / "words"}"; set'], text=True)
    assert len(names) > 12
    assert names <= {line.split("=")[0] for line in said.splitlines()}
    assert word in said


def test_missing_programs_are_named_by_debians_packages_all_at_once(tmp_path: Path) -> None:
    with pytest.raises(KitError) as caught:
        tools.check_tools(lambda name: None if name in ("mcopy", "/usr/sbin/mcopy") else name, tmp_path, "Linux")
    assert "sudo apt install grub-pc-bin mtools" in caught.value.say("es")
    with pytest.raises(KitError, match="Linux"):
        tools.check_tools(system="Windows")


def test_a_folder_that_is_no_frozen_app_is_refused_with_its_name(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tools.read_app(app) == "9.9.9"
    (app / "build.json").write_text('{"version": "1", "platform": "windows-amd64"}')
    with pytest.raises(KitError) as caught:
        tools.read_app(app)
    assert "windows-amd64" in caught.value.say("es")
    assert main(["image", "--app", str(app / "nada"), "--out", str(app)]) == 1
    assert "nada" in capsys.readouterr().err


def test_the_recipe_for_a_raspberry_pi_is_shown_and_not_made(app: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["image", "--app", str(app), "--out", str(app), "--arch", "arm64"]
    assert main([*asked, "--dry-run", "--json"]) == 0
    assert "raspi-firmware" in json.loads(capsys.readouterr().out)["packages"]
    assert main(asked) == 1
    assert "--dry-run" in capsys.readouterr().err


def test_the_choices_of_a_stick_are_read_back_by_its_own_script(tmp_path: Path) -> None:
    (tmp_path / "amauta.conf").write_text(layout.choices("pt", encrypt=True), encoding="utf-8")
    script = (
        (SCRIPTS / "choices")
        .read_text(encoding="utf-8")
        .replace("/run/live/medium", str(tmp_path))
        .replace("/usr/lib/amauta", str(SCRIPTS))
    )
    said = subprocess.check_output(["sh", "-c", f'{script}\necho "$LANG_ $ENCRYPT"'], text=True)
    assert said.split() == ["pt", "yes"]
