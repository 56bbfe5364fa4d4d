"""A label that a phone reads, and a delivery note with every accent, in three languages."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devkit.cli import main
from devkit.paper.facts import device_facts, printable, qr_text, stick_facts
from devkit.paper.label import SHEETS, Paper, draw_labels
from devkit.write.receipt import keep, receipt_path
from edge.words import LANGUAGES, words_for
from loops import needs

pytest.importorskip("fpdf", reason="needs fpdf2 (the extra `kit`)")

DOCTOR = {
    "profile": {"processor": {"name": "Intel Celeron N3060"}, "ram_mb": 3875, "system": "Linux 6.1"},
    "checks": [{"check": "speech", "good": True, "say": "espeak-ng, en español"}],
    "code": "K7QX-9M2P-VT4C",
}


def receipt(folder: Path, stick: str = "aula-01", serial: str = "60A44C41") -> Path:
    facts = {
        "site": "Escuela Nº 12 «José Martí», Ñuñoa", "lang": "es", "stick": stick, "kind": "data",
        "disk": {"serial": serial, "model": "Kingston DataTraveler 3.0", "size": 15_931_539_456, "path": "/dev/sda"},
        "source": {"name": "AMAUTA", "size": 15_000_000_000, "sha256": ""}, "bytes_verified": 3_200_000_000,
        "ended_at": "2026-11-25T23:52:15+00:00", "versions": {"amauta-kit": "0.1.0"}, "volume": "AMAUTA",
        "filesystem": "fat32", "contents": {"models": ["mini.gguf"], "packs": ["primaria", "ciencias"]},
    }  # fmt: skip
    return keep(folder, receipt_path(folder, stick, serial, 1), facts, "0 512 " + "a" * 64 + "\n").path


def text_of(pdf: Path) -> str:
    return subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, text=True, check=True).stdout


@needs("pdftotext")
@pytest.mark.parametrize(
    ("lang", "said"), [("es", "Acta de entrega"), ("pt", "Termo de entrega"), ("en", "Delivery note")]
)
def test_the_note_says_what_was_handed_over(tmp_path: Path, lang: str, said: str) -> None:
    path = receipt(tmp_path)
    assert main(["paper", str(path), "--lang", lang]) == 0
    text = text_of(path.with_suffix(".pdf"))
    for expected in (
        said,
        "Escuela Nº 12 «José Martí», Ñuñoa",
        "60A44C41",
        "15.9 GB",
        "mini.gguf",
        "primaria, ciencias",
    ):
        assert expected in text
    assert "Celeron" not in text


@needs("pdftotext")
def test_what_the_computer_said_fills_the_lines(tmp_path: Path) -> None:
    path = receipt(tmp_path)
    (tmp_path / "doctor.json").write_text(json.dumps(DOCTOR | {"tokens_per_s": 6.25}))
    assert main(["paper", str(path), "--doctor", str(tmp_path / "doctor.json"), "--sheet", "letter"]) == 0
    text = text_of(path.with_suffix(".pdf"))
    for expected in ("Intel Celeron N3060, 3.8 GB", "K7QX-9M2P-VT4C", "en español", "6.2 tokens por segundo"):
        assert expected in text


@needs("pdftoppm", "zbarimg")
@pytest.mark.parametrize("sheet", ["a4", "letter"])
def test_another_program_reads_every_code_of_a_sheet(tmp_path: Path, sheet: Paper) -> None:
    count = SHEETS[sheet].columns * SHEETS[sheet].rows + 1
    for at in range(count):
        receipt(tmp_path, f"aula-{at:02}", f"S{at:04}")
    assert main(["paper", str(tmp_path), "--sheet", sheet]) == 0
    shape = SHEETS[sheet]
    for at in (0, count - 2, count - 1):
        page, place = divmod(at, count - 1)
        x = shape.left + place % shape.columns * (shape.width + shape.gap)
        y = shape.top + place // shape.columns * shape.height
        box = [f"{round(value * 200 / 25.4)}" for value in (x, y, shape.width, shape.height)]
        crop = [word for pair in zip(("-x", "-y", "-W", "-H"), box, strict=True) for word in pair]
        only = ["-f", f"{page + 1}", "-l", f"{page + 1}", "-singlefile"]
        picture = tmp_path / f"label-{at}"
        subprocess.run(["pdftoppm", "-r", "200", "-png", *only, *crop, tmp_path / "labels.pdf", picture], check=True)
        read = subprocess.run(["zbarimg", "-q", "--raw", f"{picture}.png"], capture_output=True, text=True, check=True)
        assert read.stdout.split(":")[1:3] == [f"aula-{at:02}", f"S{at:04}"]


@given(st.text(max_size=60))
def test_any_text_can_be_printed(text: str) -> None:
    assert len(printable(text).encode("latin-1")) <= 20 * len(text) + 1


def test_letters_without_a_place_in_the_font_lose_only_their_marks() -> None:
    assert printable("Mbo’ehára ỹvytu ñandú “ẽ” — São João, Ñuñoa") == 'Mbo\'ehára yvytu ñandú "e" - São João, Ñuñoa'


@pytest.mark.parametrize(
    "doctor", [None, [], {"profile": 3, "checks": "x", "tokens_per_s": "fast"}, {"checks": [None]}]
)
def test_an_odd_doctor_leaves_lines_to_fill_by_hand(doctor: object) -> None:
    assert device_facts(doctor).rate == device_facts(doctor).processor == ""


def test_a_label_never_prints_outside_its_sticker(tmp_path: Path) -> None:
    from devkit.write.receipt import read_receipt

    long = receipt(tmp_path, "una-memoria-con-un-nombre-larguisimo-que-no-cabe-en-ninguna-parte", "S" * 60)
    facts = stick_facts(read_receipt(long))
    for lang in LANGUAGES:
        ink = draw_labels([facts], "a4", words_for("devkit", lang))
        assert len(bytes(ink.pdf.output())) > 1000
    assert qr_text(facts).startswith("AMAUTA1:una-memoria")


@pytest.mark.parametrize(
    ("content", "said"), [(b"{", "no es un recibo"), (b'{"format": 1}', "no es un recibo"), (b"[]", "no es un recibo")]
)
def test_what_is_no_receipt_is_refused(
    tmp_path: Path, content: bytes, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.json").write_bytes(content)
    assert main(["paper", str(tmp_path / "x.json")]) == 1
    assert said in capsys.readouterr().err
    assert main(["paper", str(tmp_path)]) == 1
    assert "no hay recibos" in capsys.readouterr().err
