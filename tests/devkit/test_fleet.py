"""The receipts of a district in one table; dictated codes explained."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devkit.cli import main
from devkit.fleet.collect import collect
from devkit.verbs.code import codes_in
from devkit.write.receipt import keep
from edge.diagnostic_code import Diagnosis, encode

CODE = encode(Diagnosis((0, 1, 0), "Windows", 3, 2, 3900, 64_000, False, ("sound",)))
OTHER = encode(Diagnosis((0, 1, 0), "Linux", 2, 2, 1900, 16_000, True, ()))


def receipt(folder: Path, stick: str, serial: str, ended: str = "2026-11-26T10:00:00+00:00", **more: Any) -> Path:
    """Leave what `write` leaves."""
    facts = {
        "site": "Escuela Ñandú", "lang": "es", "stick": stick, "kind": "data", "volume": "NANDU-1", "filesystem": "fat32",
        "disk": {"serial": serial, "model": "Ultra", "size": 16_000_000_000, "path": "/dev/sdx"},
        "source": {"name": "x", "size": 1, "sha256": "a" * 64}, "bytes_written": 900_000_000,
        "bytes_verified": 900_000_000, "write_s": 90.0, "check_s": 30.0, "versions": {"amauta-kit": "0.1.0"},
        "contents": {"models": ["mini.gguf", "mini.json"], "voices": ["es_mx.onnx"]}, "started_at": ended, "ended_at": ended, **more,
    }  # fmt: skip
    path = folder / f"{stick}_{serial}_{ended[:10]}.json"
    return keep(folder, path, facts, "blocks").path


def report(folder: Path, name: str, code: str, ram_mb: int = 3800) -> Path:
    path = folder / name
    path.write_text(json.dumps({"profile": {"ram_mb": ram_mb, "processor": {"name": "Celeron"}}, "code": code}))
    return path


def table(path: Path) -> list[dict[str, str]]:
    content = path.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";"))


def fleet(*argv: str | Path) -> int:
    return main(["fleet", *map(str, argv)])


def test_receipts_and_reports_become_one_table_with_sums(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "r"
    receipt(folder, "Ñandú 1", "S1")
    receipt(folder, "Ñandú 2", "S2")
    report(folder, "d.json", CODE)
    assert fleet(folder, "--out", tmp_path / "f.csv", "--json") == 0
    rows = table(tmp_path / "f.csv")
    assert [row["tipo"] for row in rows] == ["memoria", "memoria", "computadora"]
    assert (rows[0]["escuela"], rows[0]["memoria"], rows[0]["número de serie"]) == ("Escuela Ñandú", "Ñandú 1", "S1")
    assert (rows[0]["modelos"], rows[0]["bytes leídos de vuelta"], rows[0]["segundos"]) == (
        "mini",
        "900000000",
        "120.0",
    )
    assert (rows[2]["código"], rows[2]["sistema"], rows[2]["falla"]) == (CODE, "Windows", "sound")
    sums = json.loads(capsys.readouterr().out)
    assert (sums["sticks"], sums["sites"], sums["devices"], sums["devices_failing"], sums["minutes"]) == (
        2,
        1,
        1,
        1,
        4.0,
    )


def test_the_same_receipt_counts_once_and_the_last_writing_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = receipt(tmp_path / "a", "1", "S1", "2026-11-01T10:00:00+00:00")
    receipt(tmp_path / "a", "1", "S1", "2026-11-20T10:00:00+00:00")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "copy.json").write_bytes(old.read_bytes())
    assert fleet(tmp_path / "a", tmp_path / "b", "--out", tmp_path / "f.csv", "--json") == 0
    found = capsys.readouterr()
    assert sorted(json.loads(found.out)["noticed"]) == ["again", "same"]
    assert "copy.json" in found.err
    assert [row["terminó"][:10] for row in table(tmp_path / "f.csv")] == ["2026-11-20"]


def test_one_serial_under_two_names_is_noticed_and_both_stay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    receipt(tmp_path / "a", "1", "S1")
    receipt(tmp_path / "a", "2", "S1")
    receipt(tmp_path / "a", "3", "")
    receipt(tmp_path / "a", "4", "")
    assert fleet(tmp_path / "a", "--out", tmp_path / "f.csv") == 0
    said = capsys.readouterr().err
    assert said.count("número de serie") == 1
    assert "S1" in said
    assert len(table(tmp_path / "f.csv")) == 4


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", b'{"format": 1, "disk": 3}', b'{"profile": {}, "code": 3}', b"\xff"]
)
def test_a_damaged_receipt_is_named_and_the_rest_is_collected(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    receipt(tmp_path / "a", "1", "S1")
    (tmp_path / "a" / "broken.json").write_bytes(content)
    assert fleet(tmp_path / "a", "--out", tmp_path / "f.csv") == 1
    assert "broken.json" in capsys.readouterr().err
    assert len(table(tmp_path / "f.csv")) == 1


def test_no_cell_is_a_formula(tmp_path: Path) -> None:
    receipt(tmp_path / "a", "=1+1", "S1", site="@SUM(A1)")
    assert fleet(tmp_path / "a", "--out", tmp_path / "f.csv") == 0
    (row,) = table(tmp_path / "f.csv")
    assert (row["memoria"], row["escuela"]) == ("'=1+1", "'@SUM(A1)")


def test_what_cannot_be_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert fleet(tmp_path / "empty", "--out", tmp_path / "f.csv") == 1
    assert fleet(tmp_path / "nothing", "--out", tmp_path / "f.csv") == 1
    receipt(tmp_path / "a", "1", "S1")
    assert fleet(tmp_path / "a", "--out", tmp_path / "no" / "f.csv") == 1
    assert not (tmp_path / "no").exists()
    assert capsys.readouterr().err.count(str(tmp_path)) == 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["disk", "stick", "format", "profile", "code", "ram_mb", "serial"]), inner),
    max_leaves=6,
)  # fmt: skip


@given(JSON)
def test_any_json_is_a_row_or_a_clear_error(tmp_path_factory: pytest.TempPathFactory, found: object) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps(found))
    fleet = collect([path])
    assert len(fleet.sticks) + len(fleet.devices) + len(fleet.refused) == 1


# Codes


def test_codes_are_explained_and_a_wrong_one_keeps_none_back(capsys: pytest.CaptureFixture[str]) -> None:
    wrong = OTHER[:-1] + ("0" if OTHER[-1] != "0" else "1")
    assert main(["code", CODE, wrong, OTHER.lower(), "--json"]) == 1
    found = capsys.readouterr()
    assert [row["system"] for row in json.loads(found.out)] == ["Windows", "Linux"]
    assert wrong in found.err


def test_a_code_may_be_typed_with_blanks(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["code", *CODE.split("-")]) == 0
    assert "Windows" in capsys.readouterr().out


@pytest.mark.parametrize("heading", ["codigo;escuela", "escuela,Código", ""])
def test_codes_come_from_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str], heading: str) -> None:
    separator = "," if "," in heading else ";"
    cells = [["Ñandú", code] if heading.startswith("escuela") else [code, "Ñandú"] for code in (CODE, OTHER)]
    lines = [heading] * bool(heading) + [separator.join(row) for row in cells]
    (tmp_path / "c.csv").write_text("\r\n".join(lines), encoding="cp1252")
    assert codes_in(tmp_path / "c.csv") == [CODE, OTHER]
    assert main(["code", "--csv", str(tmp_path / "c.csv")]) == 0
    assert capsys.readouterr().out.count("Amauta 0.1.0") == 2


def test_the_districts_table_is_a_table_of_codes(tmp_path: Path) -> None:
    report(tmp_path, "d.json", CODE)
    assert fleet(tmp_path / "d.json", "--out", tmp_path / "f.csv") == 0
    assert codes_in(tmp_path / "f.csv") == [CODE]


def test_no_code_is_no_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["code"]) == 1
    assert main(["code", "--csv", str(tmp_path / "nothing.csv")]) == 1
    assert "nothing.csv" in capsys.readouterr().err
