"""The whole way of a release on every family: from a folder to files that torch, llama.cpp and onnxruntime read alike."""

from __future__ import annotations

import io
import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

if not all(find_spec(name) for name in ("torch", "transformers", "optimum", "onnxruntime", "llama_cpp", "gguf")):
    pytest.skip("needs the tools of a workstation: pip install 'amauta[quantize]'", allow_module_level=True)

from edge.cache import converter_folder
from edge.files import sha256_of
from edge.release import card
from edge.release.card import CAPABILITIES
from edge.tutor.llama import LlamaEngine
from quantize.bits.ledger import load
from quantize.bits.parent import read_parent
from quantize.bits.promise import promise
from quantize.bits.words import cut
from quantize.cli import main
from quantize.progress import Progress, bar, spent
from quantize.recipe import RecipeError, load_recipe
from quantize.release.settings import read_settings
from tests.quantize import tiny_models

if not (converter_folder() / "complete").is_file():
    pytest.skip("llama.cpp's converter: packaging/devkit/environment.py --with quantize", allow_module_level=True)

FEW = {"windows = 8": 'windows = 8\ntypes = ["Q4_0", "Q5_0", "Q8_0"]', "bits = 8.0": "bits = 7.0"}
"""Types that differ enough for each to be nearer than the one before, and a budget that needs several."""

FAMILIES = ("llama", "smollm", "qwen2", "qwen3", "gemma3", "mistral")
QAD = """[release.qad]
steps = 4
rates = ["1e-4"]
rows = 2
window = 32
texts = 4
held = 4
every = 2
"""
STEPS = [
    "fetch",
    "corpus",
    "convert",
    "verify",
    "importance",
    "allocate",
    "quantize",
    "export",
    "shrink",
    "evaluate",
    "report",
    "publish",
]


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A few lessons."""
    return tiny_models.packs(tmp_path_factory.mktemp("packs"))


def run(folder: Path, family: str, packs: list[Path], **replaced: str) -> Path:
    """Make a checkpoint of `family` and run the tiny recipe on it; return the folder of everything."""
    source = tiny_models.make(folder / family, family)
    path = tiny_models.recipe(folder, source, packs, **replaced)
    assert main(["run", str(path), "--work", str(folder / "work")]) == 0
    return folder


@pytest.fixture(scope="module")
def made(packs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole recipe of one family, with training on the grid."""
    return run(tmp_path_factory.mktemp("made"), "smollm", packs, **FEW)


@pytest.mark.slow
@pytest.mark.parametrize("family", [name for name in FAMILIES if name != "smollm"])
def test_every_family_of_decoders_goes_the_whole_way(family: str, packs: list[Path], tmp_path: Path) -> None:
    looks_right(run(tmp_path, family, packs, **FEW, **{QAD: ""}))


@pytest.mark.slow
def test_the_whole_way_with_training_on_the_grid(made: Path) -> None:
    looks_right(made)
    qad = json.loads((made / "work" / "qad" / "qad.json").read_bytes())
    assert qad["kept"] == (qad["kld_after"] < qad["kld_before"])


def looks_right(folder: Path) -> None:
    """Check what a run left: three ways of computing agree, the card is of the file that is there, the report opens."""
    work, out = folder / "work", folder / "out"
    proof = json.loads((work / "verify.json").read_bytes())
    assert proof["template"] == "identical"
    assert proof["score_difference"] < 0.05 * proof["score_spread"]  # torch and GGUF
    for kind, place in (("fp32", work / "onnx" / "fp32"), ("int8", work / "onnx-small" / "int8")):
        parity = json.loads((place / "parity.json").read_bytes())  # torch and ONNX
        assert parity["kind"] == kind
        assert parity["cosine"] > (0.99999 if kind == "fp32" else 0.98)
    report = card.load(out / "card.json")
    assert report.sha256 == sha256_of(out / "release-tiny.gguf")
    assert not any(report.allows(name) for name in CAPABILITIES)
    assert {"kld.es", "kld.pt", "top1.es"} <= set(report.figures)
    plan = json.loads((work / "plan.json").read_bytes())
    assert plan["bytes"] == (work / "quantized" / "release-tiny.gguf").stat().st_size
    bits_are_right(work)
    assert "http" not in (out / "report.html").read_text(encoding="utf-8").replace("http://www.w3.org", "")
    with LlamaEngine.open(out / "release-tiny.gguf") as engine:
        list(engine.stream([{"role": "user", "content": "hola"}], max_tokens=4))


def bits_are_right(work: Path) -> None:
    """Check that every tensor was measured, that more bits come nearer, and that the file scores as its plan promised."""
    gguf, made = work / "release-tiny-f16.gguf", work / "quantized" / "release-tiny.gguf"
    parent, (found, _) = read_parent(gguf), load(work / "importance.npz")
    names = {tensor.name for tensor in parent.plannable}
    assert len(names) == (15 if parent.tied else 16)
    assert found["fisher"].keys() == names
    assert found["imatrix"].keys() == names - (set() if parent.tied else {"token_embd.weight"})
    assert all(np.all(np.diff(error) < 0) for error in found["error"].values())
    assert all(cost[0] > cost[-1] >= 0 for cost in found["fisher"].values())
    kept = promise(work / "checkpoint", gguf, made, cut(gguf, work / "corpus" / "calibration.jsonl", 32, 1)[:2])
    assert kept.largest < 0.35 * kept.spread
    assert kept.kld < 0.01


@pytest.mark.slow
@pytest.mark.parametrize("family", ["bert", "xlm-roberta", "minilm"])
def test_every_family_of_encoders_ends_as_onnx(family: str, packs: list[Path], tmp_path: Path) -> None:
    encoder = {'onnx = ["int8"]': 'onnx = ["int8"]\nencoder = true'}
    folder = run(tmp_path, family, packs, **encoder)
    report = card.load(folder / "out" / "card.json")
    assert report.sha256 == sha256_of(folder / "out" / "model.onnx")
    assert report.figures["cosine"] > 0.98
    assert (folder / "out" / "tokenizer.json").is_file()
    assert not list(folder.rglob("*.gguf"))


@pytest.mark.slow
def test_a_second_run_finds_everything_done_and_answers_in_json(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(made / "recipe.toml"), "--work", str(made / "work"), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["step"] for row in rows] == [*STEPS[:7], "qad", *STEPS[7:]]
    assert not any(row["made"] for row in rows)
    assert all(Path(row["output"]).exists() for row in rows)


@pytest.mark.slow
def test_one_step_runs_alone_and_touches_no_other(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = made / "work" / "quantized" / "release-tiny.gguf"
    before = sha256_of(plain)
    plain.unlink()
    (made / "work" / "report" / "report.html").unlink()
    assert main(["run", str(made / "recipe.toml"), "--work", str(made / "work"), "--only", "quantize"]) == 0
    assert sha256_of(plain) == before
    assert not (made / "work" / "report" / "report.html").exists()
    assert main(["report", str(made / "recipe.toml"), "--work", str(made / "work")]) == 0
    assert (made / "work" / "report" / "report.html").is_file()
    assert capsys.readouterr().err.count("made in") == 2


@pytest.mark.slow
def test_the_importance_of_a_step_makes_no_other_one_stale(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (made / "recipe.toml").read_text(encoding="utf-8")
    other = made / "other.toml"
    other.write_text(text.replace("bits = 7.0", "bits = 6.0"), encoding="utf-8")
    assert main(["steps", str(other), "--work", str(made / "work"), "--json"]) == 0
    rows = {row["step"]: row["done"] for row in json.loads(capsys.readouterr().out)}
    assert rows["importance"]
    assert not rows["allocate"]


def test_a_step_without_what_it_needs_says_what_to_run_first(
    packs: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tiny_models.recipe(tmp_path, tmp_path, packs)
    assert main(["run", str(path), "--work", str(tmp_path / "work"), "--only", "allocate"]) == 1
    said = capsys.readouterr().err
    assert "release-tiny-f16.gguf" in said
    assert "convert" in said
    assert main(["run", str(path), "--work", str(tmp_path / "work"), "--only", "fly"]) == 1
    assert "importance" in capsys.readouterr().err


def test_its_steps_can_be_listed_without_torch(packs: list[Path], tmp_path: Path) -> None:
    import subprocess
    import sys

    path = tiny_models.recipe(tmp_path, tmp_path, packs, **{QAD: ""})
    code = (
        f"import sys; from quantize.cli import main; code = main(['steps', {str(path)!r}, '--work', {str(tmp_path)!r}]);"
        "print(code, [m for m in ('torch', 'transformers', 'llama_cpp', 'onnxruntime') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    *lines, last = done.stdout.splitlines()
    assert [line.split()[2] for line in lines] == STEPS
    assert last == "0 []"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({'title = "Llama-Tiny"': 'title = "Tiny"'}, "Llama-Tiny"),
        ({'onnx = ["int8"]': "onnx = []\nencoder = true"}, "encoder = false"),
        ({'onnx = ["int8"]': 'onnx = ["int3"]'}, "int3"),
        ({"windows = 8": "windoes = 8"}, "release.importance.windoes"),
        ({'rates = ["1e-4"]': 'rates = "1e-4"'}, "release.qad.rates"),
        ({"[release.text]": "[release.texts]"}, "release.texts"),
    ],
    ids=["a name without Llama", "an encoder that is none", "an unknown kind", "a name", "a type", "a table"],
)
def test_a_mistake_in_the_recipe_is_said_in_words(
    change: dict[str, str], words: str, packs: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tiny_models.make(tmp_path / "llama", "llama")
    path = tiny_models.recipe(tmp_path, source, packs, **change)
    assert main(["run", str(path), "--work", str(tmp_path / "work")]) == 1
    assert words in capsys.readouterr().err


def test_what_the_release_says_holds_in_the_tables_of_its_steps(packs: list[Path], tmp_path: Path) -> None:
    path = tiny_models.recipe(tmp_path, tmp_path, packs, **{"seed = 1": "seed = 7"})
    settings = read_settings(load_recipe(str(path)))
    assert settings.measure.name == "Llama-Tiny"
    assert settings.measure.languages == ("es", "pt")
    assert settings.importance.seed == settings.measure.seed == 7
    assert settings.qad is not None
    assert settings.qad.seed == 7
    assert settings.distil is settings.trim is settings.publish is None


def test_a_release_that_hides_the_notice_is_refused() -> None:
    from quantize.checkpoint.facts import Checkpoint
    from quantize.publish.settings import PublishSettings
    from quantize.release.job import with_duties

    facts = Checkpoint("llama", "LlamaForCausalLM", 1, "", "llama3.1", "x", "", "Built with Llama")
    told = with_duties(PublishSettings("llama-x", "unsaid", ("es",)), facts)
    assert (told.licence, told.notice) == ("llama3.1", "Built with Llama")
    with pytest.raises(RecipeError, match="Built with Llama"):
        with_duties(PublishSettings("llama-x", "llama3.1", ("es",), notice="Our own"), facts)


class Terminal(io.StringIO):
    """A screen."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_a_bar_and_a_pipe_plain_lines() -> None:
    screen, pipe = Terminal(), io.StringIO()
    for out in (screen, pipe):
        progress = Progress(4, out)
        with progress.step(2, "convert"):
            pass
        progress.told(2, "convert", "made in 3 s")
    assert "[######" in screen.getvalue()
    assert "1/4 convert 0:00" in screen.getvalue()
    assert pipe.getvalue() == "[2/4] convert\n[2/4] convert: made in 3 s\n"
    assert screen.getvalue().endswith("[2/4] convert: made in 3 s\n")


def test_a_bar_is_full_when_all_is_done_and_times_are_readable() -> None:
    assert bar(4, 4).count("#") == 24
    assert bar(0, 4).count("#") == 0
    assert spent(59) == "0:59"
    assert spent(3723) == "1:02:03"
