"""`amauta doctor` tells a teacher, and a technician on the phone, what works here and why not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from edge import __version__
from edge.cli import main
from edge.device import DeviceProfile, Terminal, probe
from edge.diagnostic_code import CHECKS, decode, encode
from edge.health import Finding, diagnose, examine
from edge.learning.store import Store
from edge.processor import Processor
from edge.settings import Settings
from edge.words import LANGUAGES, words_for


def found(profile: DeviceProfile, settings: Settings) -> dict[str, Finding]:
    return {finding.check: finding for finding in examine(profile, settings)}


def test_a_poor_old_machine_is_told_what_still_works(tmp_path: Path) -> None:
    old = replace(
        probe({}),
        processor=Processor("Core 2", "x86_64", frozenset({"ssse3"})),
        ram_mb=900,
        free_disk_mb=20,
        sound=False,
        terminal=Terminal("linux", 60, 20, 16, interactive=True),
    )
    findings = found(old, Settings(tmp_path))
    failed = {check for check, finding in findings.items() if not finding.good}
    assert failed >= {"cpu", "memory", "disk", "model", "sound", "terminal"}
    assert findings["lessons"].good
    assert findings["speech"].good
    assert findings["store"].good
    for lang in LANGUAGES:
        words = words_for("edge", lang)
        for finding in findings.values():
            assert finding.say(words)
            assert words.say(f"doctor.check.{finding.check}")
    assert "Core 2" in findings["cpu"].say(words_for("edge", "es"))


def test_findings_come_in_the_order_of_the_code(tmp_path: Path) -> None:
    findings = examine(probe({}), Settings(tmp_path))
    assert tuple(finding.check for finding in findings) == CHECKS
    diagnosis = decode(encode(diagnose(probe({}), findings, __version__)))
    assert diagnosis.failed == tuple(finding.check for finding in findings if not finding.good)
    assert ".".join(map(str, diagnosis.version)) == __version__


def test_a_damaged_store_and_a_plain_terminal_are_named(tmp_path: Path) -> None:
    settings = Settings(tmp_path)
    settings.store_path.write_bytes(b"no database " * 500)
    plain = replace(probe({}), terminal=Terminal("dumb", 80, 24, 0, interactive=True))
    findings = found(plain, settings)
    assert findings["store"].key == "store-broken"
    assert str(settings.store_path) in findings["store"].say(words_for("edge", "es"))
    assert "--plain" in findings["terminal"].say(words_for("edge", "es"))


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert found(probe({}), Settings(tmp_path / "file" / "home"))["store"].key == "store-nowhere"


def test_the_store_is_looked_into_but_never_made(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "home")
    assert found(probe({}), settings)["store"].key == "store-new"
    assert not settings.home.exists()
    with Store.open(settings.store_path) as store:
        store.add_learner("Ana", "es", "ana")
    finding = found(probe({}), settings)["store"]
    assert finding.say(words_for("edge", "es")).startswith("1 personas, 0 respuestas")


def run(capsys: pytest.CaptureFixture[str], home: Path, *argv: str, lang: str = "es") -> tuple[int, str, str]:
    code = main(["doctor", *argv], {"AMAUTA_HOME": str(home), "AMAUTA_LANG": lang})
    output = capsys.readouterr()
    return code, output.out, output.err


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_table_ends_with_a_code_that_tells_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lang: str
) -> None:
    code, out, err = run(capsys, tmp_path, lang=lang)
    assert (code, err) == (0, "")
    assert probe(os.environ).processor.name in out
    dictated = out.split()[-1]
    assert len(dictated) == 14
    code, out, err = run(capsys, tmp_path, "--decode", dictated.lower(), lang=lang)
    assert (code, err) == (0, "")
    assert __version__ in out


def test_json_is_for_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, tmp_path, "--json")
    facts = json.loads(out)
    assert code == 0
    assert facts["profile"]["ram_mb"] > 100
    assert [check["check"] for check in facts["checks"]] == list(CHECKS)
    assert decode(facts["code"]).failed == tuple(c["check"] for c in facts["checks"] if not c["good"])


def test_a_wrong_code_is_refused_in_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, tmp_path, "--decode", "4083-1QC4-00M1")
    assert (code, out) == (1, "")
    assert "4083-1QC4-00M1" in err
    assert len(err.splitlines()) == 2


def test_doctor_is_quick_and_loads_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys; from edge.cli import main; main(['doctor'])\n"
        "heavy = 'llama_cpp onnxruntime numpy piper textual torch miniaudio sqlite_utils'.split()\n"
        "sys.exit(any(name in sys.modules for name in heavy))"
    )
    environ = {**os.environ, "AMAUTA_HOME": str(tmp_path)}
    before = os.times()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environ, check=False)
    assert done.returncode == 0, done.stderr
    after = os.times()
    # 0.25 s on an idle machine. Of the processor's time only, which a busy machine lengthens little.
    assert after.children_user + after.children_system - before.children_user - before.children_system < 1.5
