"""What runs on a machine is known before anything is imported that could crash on it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from edge.device import (
    DeviceProfile,
    Terminal,
    llama_verdict,
    onnx_verdict,
    probe,
    processor_verdict,
    read_terminal,
    refuse_unfit_processor,
)
from edge.errors import ModelError
from edge.processor import Processor, parse_cpuinfo, read_processor, tier
from edge.words import LANGUAGES

CORE_2_DUO = """\
processor\t: 0
vendor_id\t: GenuineIntel
cpu family\t: 6
model\t\t: 15
model name\t: Intel(R) Core(TM)2 Duo CPU     T5450  @ 1.66GHz
flags\t\t: fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush dts acpi mmx fxsr \
sse sse2 ss ht tm pbe syscall nx lm constant_tsc arch_perfmon pebs bts rep_good nopl cpuid aperfmperf pni \
dtes64 monitor ds_cpl est tm2 ssse3 cx16 xtpr pdcm lahf_lm dtherm
"""
NEHALEM = CORE_2_DUO.replace("Core(TM)2 Duo CPU     T5450", "Core(TM) i5 CPU M 520").replace(
    "lahf_lm", "lahf_lm sse4_1 sse4_2 popcnt"
)
HASWELL = NEHALEM.replace("popcnt", "popcnt avx avx2 bmi1 bmi2 f16c fma movbe abm xsave")
SKYLAKE_X = HASWELL.replace("avx2", "avx2 avx512f avx512dq avx512cd avx512bw avx512vl")
RASPBERRY_4 = """\
processor\t: 0
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm crc32 cpuid
CPU implementer\t: 0x41

Hardware\t: BCM2835
Model\t\t: Raspberry Pi 4 Model B Rev 1.4
"""


def profile_of(processor: Processor) -> DeviceProfile:
    return replace(probe({}), processor=processor)


@pytest.mark.parametrize(
    ("text", "machine", "level"),
    [
        (CORE_2_DUO, "x86_64", 1),
        (NEHALEM, "x86_64", 2),
        (HASWELL, "x86_64", 3),
        (SKYLAKE_X, "AMD64", 4),
        (RASPBERRY_4, "aarch64", 5),
        (RASPBERRY_4, "armv7l", 0),
        (HASWELL, "i686", 0),
        ("", "x86_64", 2),
    ],
)
def test_processors_are_put_into_their_level(text: str, machine: str, level: int) -> None:
    assert tier(parse_cpuinfo(text, machine)) == level


def test_processors_have_their_names() -> None:
    assert parse_cpuinfo(CORE_2_DUO, "x86_64").name == "Intel(R) Core(TM)2 Duo CPU T5450 @ 1.66GHz"
    assert parse_cpuinfo(RASPBERRY_4, "aarch64").name == "Raspberry Pi 4 Model B Rev 1.4"
    assert parse_cpuinfo("", "x86_64").name == "x86_64"
    bare = "processor\t: 0\nCPU implementer\t: 0x41\nCPU variant\t: 0x0\nCPU part\t: 0xd08\n"
    assert parse_cpuinfo(bare, "aarch64").name == "Cortex-A72"
    assert parse_cpuinfo(bare.replace("0xd08", "0xfff"), "aarch64").name == "ARM 0x41 0xfff"
    assert parse_cpuinfo(bare.replace("0x41", "0x61"), "aarch64").name == "ARM 0x61 0xd08"


def test_models_are_refused_on_a_processor_that_they_would_crash_on() -> None:
    for text, machine, verdict in (
        (CORE_2_DUO, "x86_64", "cpu-too-old"),
        (RASPBERRY_4, "armv7l", "cpu-other"),
        (NEHALEM, "x86_64", ""),
        (RASPBERRY_4, "aarch64", ""),
    ):
        processor = parse_cpuinfo(text, machine)
        assert processor_verdict(processor) == verdict
        assert onnx_verdict(profile_of(processor)) == verdict
        if verdict:
            assert llama_verdict(profile_of(processor)) == verdict


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no /proc/cpuinfo")
def test_the_refusal_is_readable_and_comes_before_any_import(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(CORE_2_DUO)
    code = (
        "import sys; from pathlib import Path\n"
        "from edge import device, processor; from edge.errors import EdgeError\n"
        f"old = processor.read_processor({{}}, Path({str(cpuinfo)!r}))\n"
        "device.read_processor = lambda environ: old\n"
        "try: device.refuse_unfit_processor({})\n"
        "except EdgeError as error: print(error.say('es'))\n"
        "sys.exit(any(m in sys.modules for m in ('llama_cpp', 'numpy', 'onnxruntime')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "T5450" in done.stdout
    assert "SSE4.2" in done.stdout
    assert len(done.stdout.splitlines()) == 2


def test_every_refusal_has_words() -> None:
    for key in ("cpu-too-old", "cpu-other", "llama-missing", "onnx-missing"):
        for lang in LANGUAGES:
            assert len(ModelError(key, cpu="X", machine="y").say(lang).splitlines()) == 2


def test_this_machine_is_described() -> None:
    profile = probe(os.environ)
    assert profile.cores >= 1
    assert profile.ram_mb > 100
    assert profile.free_disk_mb > 0
    assert profile.processor.name
    assert read_processor(os.environ).machine
    refuse_unfit_processor(os.environ)


def test_the_free_disk_is_that_of_a_folder_not_made_yet(tmp_path: Path) -> None:
    assert probe({}, tmp_path / "not" / "yet").free_disk_mb == pytest.approx(probe({}, tmp_path).free_disk_mb, rel=0.05)


@pytest.mark.parametrize(
    ("environ", "colours"),
    [
        ({"TERM": "linux"}, 16),
        ({"TERM": "xterm-256color"}, 256),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, 1 << 24),
        ({"TERM": "dumb", "COLORTERM": "truecolor"}, 0),
        ({"TERM": "xterm", "NO_COLOR": "1"}, 0),
    ],
)
def test_the_terminal_tells_its_colours(environ: dict[str, str], colours: int) -> None:
    screen = read_terminal(environ, interactive=True)
    assert screen.colours == colours
    assert isinstance(screen, Terminal)
