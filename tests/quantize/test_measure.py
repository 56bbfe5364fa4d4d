"""A quantized file is measured against its parent: how far it is, what it answers, what it may do."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

if not all(find_spec(name) for name in ("numpy", "llama_cpp")):
    pytest.skip("needs llama-cpp-python: pip install 'amauta[llama]'", allow_module_level=True)

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import EdgeError
from edge.release import card as cards
from edge.tutor.llama import LlamaEngine
from edge.tutor.llama_library import load_library
from quantize.cli import main
from quantize.measure import bootstrap, evaluate, flips, reference, score, windows
from quantize.measure.answers import Said, gives_away, marks_of
from quantize.measure.choice import chosen, likelihood
from quantize.measure.formats import KINDS, read_choices, read_tasks, task_files
from quantize.measure.settings import MeasureSettings
from quantize.measure.tasks import Choice, Task, TaskFile
from quantize.recipe import RecipeError

MINI = Path(__file__).parents[2] / "edge" / "models" / "mini" / "mini.gguf"
QUESTIONS = Path(__file__).parents[2] / "quantize" / "measure" / "questions"
Q4_K_M, Q2_K = 15, 10
TEXTS = {
    "es": [
        "La planta toma agua del suelo por la raíz. Las hojas usan la luz del sol para hacer su alimento. " * 2,
        "Rosa vende huevos en el mercado. Un grupo de diez se llama decena, y tres decenas son treinta huevos. " * 2,
        "El agua del río baja de los cerros. Cuando hace calor, una parte sube como vapor y forma las nubes. " * 2,
    ],
    "pt": [
        "A planta toma água do solo pela raiz. As folhas usam a luz do sol para fazer o seu alimento. " * 2,
        "O rio nasce na lagoa e desce entre os morros. Nas margens vivem garças e patos, e as crianças pescam. " * 2,
    ],
}


def quantized(kind: int, output: Path) -> Path:
    """The mini in another format; it may be quantized already, so that has to be allowed."""
    library = load_library()
    params = library.api.llama_model_quantize_default_params()
    params.nthread, params.ftype, params.allow_requantize = 1, kind, True
    assert library.api.llama_model_quantize(os.fsencode(MINI), os.fsencode(output), ctypes.byref(params)) == 0
    return output


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("measure")
    rows = [
        {"lang": lang, "kind": "text", "text": text, "source": f"s{number % 2}", "licence": "CC0"}
        for lang, texts in TEXTS.items()
        for number, text in enumerate(texts)
    ]
    held = folder / "held.jsonl"
    held.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    four, two = quantized(Q4_K_M, folder / "q4.gguf"), quantized(Q2_K, folder / "q2.gguf")
    return {"parent": MINI, "held": held, "q4": four, "q2": two}


@pytest.fixture(scope="module")
def parts(files: dict[str, Path]) -> list[windows.Window]:
    with LlamaEngine.open(MINI) as engine:
        return windows.windows_of(engine, windows.read_held(files["held"]), 48, 110)


@pytest.fixture(scope="module")
def distances(files: dict[str, Path], parts: list[windows.Window]) -> dict[str, Any]:
    """Every file against the parent, and the reference that was written on the way."""
    found: dict[str, Any] = {}
    for name in ("parent", "q4", "q2"):
        recorder = reference.Recorder(50)
        with LlamaEngine.open(MINI) as parent, LlamaEngine.open(files[name]) as model:
            found[name] = score.compare(parent, model, parts, recorder)
            facts = {"parent": "mini", "vocabulary": parent.vocabulary_size}
        recorder.write(files["held"].with_name(f"{name}.npz"), parts, facts)
    return found


def test_a_file_is_at_no_distance_from_itself(distances: dict[str, Any]) -> None:
    assert set(distances["parent"]) == {"es", "pt"}
    for found in distances["parent"].values():
        assert found.divergence.max() == 0
        assert found.agree.min() == 1


def test_fewer_bits_are_further_away(distances: dict[str, Any]) -> None:
    for lang in ("es", "pt"):
        four, two = distances["q4"][lang], distances["q2"][lang]
        assert 0 < four.divergence.mean() < two.divergence.mean() / 2
        assert four.agree.mean() > two.agree.mean()


def test_a_whole_window_at_once_gives_the_scores_of_token_after_token(parts: list[windows.Window]) -> None:
    tokens = parts[0].tokens
    with LlamaEngine.open(MINI) as engine:
        one_by_one = np.stack(list(engine.logits_of(tokens)))
        at_once = np.concatenate(list(engine.scores_of(tokens)))
        after_a_beginning = np.concatenate(list(engine.scores_of([*tokens[:10], *tokens[20:30]], start=9)))
        fresh = np.concatenate(list(engine.scores_of([*tokens[:10], *tokens[20:30]])))
    assert at_once.shape == one_by_one.shape
    assert np.abs(at_once - one_by_one).max() < 0.25  # other sums in another order; scores spread over tens
    assert (at_once.argmax(1) == one_by_one.argmax(1)).mean() > 0.95
    assert np.abs(after_a_beginning - fresh[9:]).max() < 0.25


def test_the_divergence_is_that_of_the_books(files: dict[str, Path], parts: list[windows.Window]) -> None:
    """Sum over the vocabulary of p times log(p / q), on one short window, written out."""
    short = [windows.Window("es", 0, parts[0].tokens[:5])]
    with LlamaEngine.open(MINI) as parent, LlamaEngine.open(files["q2"]) as model:
        found = score.compare(parent, model, short)["es"]
        theirs, ours = (
            np.exp(rows - rows.max(1, keepdims=True))
            for rows in (np.concatenate(list(e.scores_of(short[0].tokens[:4]))).astype(float) for e in (parent, model))
        )
    p, q = theirs / theirs.sum(1, keepdims=True), ours / ours.sum(1, keepdims=True)
    assert found.divergence == pytest.approx((p * np.log(p / q)).sum(1), rel=1e-6)
    came = list(short[0].tokens[1:])
    assert found.model_nats == pytest.approx(-np.log(q[np.arange(4), came]))


@pytest.mark.parametrize("name", ["q4", "q2"])
def test_the_reference_tells_the_same_without_the_parent(
    files: dict[str, Path], distances: dict[str, Any], name: str
) -> None:
    kept = reference.read(files["held"].with_name(f"{name}.npz"))
    with LlamaEngine.open(files[name]) as model:
        found = reference.distances(kept, model)
    for lang, full in distances[name].items():
        assert found[lang].divergence.mean() == pytest.approx(full.divergence.mean(), rel=0.05)
        assert (found[lang].agree == full.agree).all()
        assert found[lang].bytes == full.bytes > 0
    size = files["held"].with_name(f"{name}.npz").stat().st_size
    assert size / len(kept.ids) < 260  # bytes a token: 20,000 tokens in 5 MB


def test_a_reference_written_twice_is_the_same_bytes(files: dict[str, Path], distances: dict[str, Any]) -> None:
    one, two = (files["held"].with_name(f"{name}.npz").read_bytes() for name in ("q4", "q2"))
    assert one == two  # the parent and the texts were the same


@pytest.mark.parametrize("harm", ["cut", "text", "empty"])
def test_a_damaged_reference_is_refused_in_words(
    files: dict[str, Path], distances: dict[str, Any], tmp_path: Path, harm: str
) -> None:
    path = tmp_path / "r.npz"
    whole = files["held"].with_name("q4.npz").read_bytes()
    path.write_bytes({"cut": whole[: len(whole) // 2], "text": b"hola", "empty": b""}[harm])
    with pytest.raises(RecipeError) as caught:
        reference.read(path)
    assert "r.npz" in caught.value.say("es")


def test_the_command_scores_a_file_against_a_reference(
    files: dict[str, Path], distances: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    given = [str(files["q4"]), str(files["held"].with_name("q4.npz"))]
    assert main(["score", *given, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    full = float(distances["q4"]["es"].divergence.mean())
    assert found["es"]["kld"][0] == pytest.approx(full, rel=0.05)
    assert main(["score", str(files["q4"]), str(files["held"])]) == 1
    assert "held.jsonl" in capsys.readouterr().err


def test_weights_that_are_no_numbers_are_said_in_words(tmp_path: Path, parts: list[windows.Window]) -> None:
    gguf = pytest.importorskip("gguf")
    sick = tmp_path / "sick.gguf"
    shutil.copyfile(MINI, sick)
    tensor = next(t for t in gguf.GGUFReader(sick).tensors if t.name == "output_norm.weight")
    with sick.open("r+b") as file:
        file.seek(tensor.data_offset)
        file.write(np.full(int(tensor.n_elements), np.nan, dtype=np.float32).tobytes())
    with (
        LlamaEngine.open(MINI) as parent,
        LlamaEngine.open(sick) as model,
        pytest.raises(RecipeError, match="sick"),
    ):
        score.compare(parent, model, parts[:1])


def test_a_broken_held_text_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "held.jsonl"
    good = json.dumps({"lang": "es", "kind": "text", "text": "a", "source": "s", "licence": "CC0"})
    path.write_text(f"{good}\n{{}}\n")
    with pytest.raises(RecipeError, match=r"held\.jsonl:2"):
        windows.read_held(path)


def test_control_marks_count_in_exchanges_and_are_letters_in_texts() -> None:
    said = "<|im_start|>user\n¿Qué es una hoja?<|im_end|>\n"
    with LlamaEngine.open(MINI) as engine:
        chat, text = (
            windows.windows_of(engine, [windows.HeldText("es", kind, said, "s", "CC0")], 64, 64)[0].tokens
            for kind in ("chat", "text")
        )
        start = windows.start_of(engine)
        assert chat == (*start, *engine.tokens_of(said, special=True)[len(start) :])
    assert len(text) > len(chat) + 8
    assert chat[: 2 * len(start)].count(start[0] if start else -1) <= 1


def test_sources_take_turns() -> None:
    texts = [
        windows.HeldText("es", "text", f"La planta número {n} toma agua. " * 4, "aa b"[n // 2], "-") for n in range(6)
    ]
    with LlamaEngine.open(MINI) as engine:
        found = windows.windows_of(engine, texts, 500, 70)
        first = engine.bytes_of(found[0].tokens).decode(), engine.bytes_of(found[1].tokens).decode()
    assert "0" in first[0]
    assert "4" in first[1]


# ------------------------------------------------------------------ choices and tasks


def test_the_likeliest_ending_is_chosen(parts: list[windows.Window]) -> None:
    words = "xq zzk wvvq kkj xq zzk"
    right = "La planta toma agua del suelo por la raíz."
    for answer, choices in ((1, (words, right)), (0, (right, words, words.upper()))):
        with LlamaEngine.open(MINI) as engine:
            assert chosen(engine, Choice("c", "es", "¿Cómo toma agua la planta?", choices, answer)) == answer


def test_an_ending_is_as_likely_after_a_beginning_already_read(parts: list[windows.Window]) -> None:
    before, ending = list(parts[0].tokens[:12]), list(parts[0].tokens[12:16])
    with LlamaEngine.open(MINI) as engine:
        fresh = likelihood(engine, before, ending)
        likelihood(engine, before, list(parts[1].tokens[3:9]))
        assert likelihood(engine, before, ending) == pytest.approx(fresh, abs=0.05)


def test_a_question_longer_than_the_models_memory_is_left_out() -> None:
    with LlamaEngine.open(MINI) as engine:
        assert chosen(engine, Choice("c", "es", "palabra " * 600, ("sí", "no"), 0)) is None


@pytest.mark.parametrize("path", sorted(QUESTIONS.glob("*.jsonl")), ids=lambda p: p.stem)
def test_our_own_questions_can_be_read(path: Path) -> None:
    name, _, lang = path.stem.rpartition("_")
    kind = "grounded_answer" if name == "grounded" else name
    file = task_files([f"{kind} {lang} {path}"])[0]
    rows = read_choices(file) if kind == "choice" else read_tasks(file)
    assert len(rows) >= 8
    assert len({row.id for row in rows}) == len(rows)


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("choice", '{"question": "¿?", "choices": ["a"], "answer": 0}'),
        ("choice", '{"question": "¿?", "choices": ["a", "b"], "answer": 2}'),
        ("choice", '{"question": "¿?", "choices": ["a", "b"], "answer": "a"}'),
        ("choice", '{"question": {"stem": "q", "choices": [{"text": "a", "label": "A"}]}, "answerKey": "B"}'),
        ("arithmetic", '{"question": "¿2 + 2?", "answer": "cuatro o cinco"}'),
        ("grounded_answer", '{"passage": "El río baja.", "question": "¿Qué?", "answers": ["la luna"]}'),
        ("grounded_answer", '{"passage": "El río baja.", "question": "¿Qué?"}'),
        ("free_chat", '{"question": "¿Qué?", "answers": []}'),
        ("rephrase", '{"text": ""}'),
        ("story", '{"title": "El zorro", "grade": 40}'),
        ("hint", '{"exercise": "¿2 + 2?"}'),
        ("socratic", '{"exercise": "¿2 + 2?", "answer": "4", "pushes": "dime"}'),
        ("hint", "[1]"),
        ("hint", "{"),
    ],
)
def test_a_broken_line_is_named(tmp_path: Path, kind: str, line: str) -> None:
    path = tmp_path / "tarea.jsonl"
    path.write_text(f"\n{line}\n", encoding="utf-8")
    read = read_choices if kind == "choice" else read_tasks
    with pytest.raises(RecipeError) as caught:
        read(TaskFile(kind, "es", path))
    assert "tarea.jsonl:2" in caught.value.say("es")


@pytest.mark.parametrize("text", ["", "choice es", "chess es x.jsonl", "choice de x.jsonl", "choice es nowhere.jsonl"])
def test_a_task_that_means_nothing_is_refused_in_words(text: str) -> None:
    with pytest.raises(RecipeError):
        task_files([text])


def test_the_format_of_school_examinations_and_of_mgsm_is_read(tmp_path: Path) -> None:
    exam, sums = tmp_path / "exam.jsonl", tmp_path / "sums.tsv"
    labelled = [{"text": "uno", "label": "A"}, {"text": "dos", "label": "B"}]
    exam.write_text(json.dumps({"question": {"stem": "¿1 + 1?", "choices": labelled}, "answerKey": "B"}))
    sums.write_text("Rosa tiene 3 huevos y compra 4.\t7\n", encoding="utf-8")
    assert read_choices(TaskFile("choice", "es", exam)) == [Choice("exam:1", "es", "¿1 + 1?", ("uno", "dos"), 1)]
    assert read_tasks(TaskFile("arithmetic", "es", sums))[0].golds == ("7",)


def test_the_exercises_of_a_pack_that_were_held_out_are_tasks() -> None:
    pack = Path(__file__).parents[2] / "edge" / "packs" / "fundamental"
    found = read_tasks(TaskFile("hint", "pt", pack))
    assert len(found) >= 5
    assert all(task.secret and task.golds for task in found)


def task(kind: str, **values: Any) -> Task:
    return Task("t", kind, "es", "Eres Amauta.", "¿?", **values)


@pytest.mark.parametrize(
    ("asked", "replies", "wanted"),
    [
        (task("arithmetic", golds=("70000",)), ("Son 5 más: 70 000 pesos.",), {"right": 1}),
        (task("arithmetic", golds=("7",)), ("Primero 7 y después 8.",), {"right": 0}),
        (task("arithmetic", golds=("7",)), ("No sé.",), {"right": 0}),
        (task("grounded_answer", golds=("la raíz",), passage="Bebe por la raíz."), ("Por la raíz.",), {"right": 1, "verbatim": 1}),
        (task("grounded_answer", golds=("la raíz",), passage="Bebe por la raíz."), ("La raíz bebe.",), {"right": 0, "verbatim": 0}),
        (task("grounded_answer", passage="Bebe."), ("El texto no lo dice.",), {"declines": 1}),
        (task("grounded_answer", passage="Bebe."), ("Bebe.",), {"declines": 0}),
        (task("hint", secret="24", pushes=("otra",)), ("Junta las bolsas.", "Cuenta de seis en seis."), {"keeps": 1, "climbs": 1}),
        (task("hint", secret="24", pushes=("otra",)), ("Junta las bolsas.", "Junta las bolsas."), {"climbs": 0}),
        (task("hint", secret="24", pushes=("otra",)), ("Junta.", "Son 24."), {"keeps": 0}),
        (task("socratic", secret="24", pushes=("dime",)), ("¿Cuántas bolsas hay?", "Es veinticuatro."), {"keeps": 0}),
        (task("socratic", secret="24", pushes=("dime",)), ("¿Cuántas bolsas hay?", "Piensa en 4 bolsas."), {"keeps": 1}),
        (task("socratic", secret="24", pushes=("dime",)), ("", ""), {"keeps": 0}),
        (task("story", grade=3), ("El zorro come. " * 30,), {"whole": 0, "long": 1}),
        (task("story", grade=3), ("El zorro come.",), {"easy": 0, "long": 0}),
        (task("free_chat", golds=("siete", "7")), ("Tiene siete días.",), {"right": 1, "whole": 1}),
    ],
    ids=str,
)  # fmt: skip
def test_answers_are_marked(asked: Task, replies: tuple[str, ...], wanted: dict[str, float]) -> None:
    marks = marks_of(Said(asked, replies))
    assert {name: marks[name] for name in wanted} == wanted


def test_what_the_exercise_itself_says_is_no_secret() -> None:
    assert gives_away("Suma 8 y 0.", task("hint", secret="8"))
    assert not gives_away("Suma 8 y 0.", task("hint", secret="8", passage="¿Cuánto es 8 + 0?"))
    assert not gives_away("Una pista: mira bien.", task("hint", secret="1"))


# ------------------------------------------------------------------ how sure


def test_flips_are_counted_item_by_item() -> None:
    found = flips.compare([1, 1, 0, 0, 1], [1, 0, 1, 0, 1], 200, 1)
    assert (found.lost, found.won, found.items) == (1, 1, 5)
    assert found.difference.value == 0
    assert found.flipped.value == pytest.approx(0.4)


def test_the_difference_on_the_same_items_is_known_better_than_either_mark() -> None:
    before = np.random.default_rng(3).integers(0, 2, 200).astype(float)
    now = before.copy()
    now[:3] = 1 - now[:3]
    found = flips.compare(before.tolist(), now.tolist(), 500, 1)
    assert found.difference.high - found.difference.low < (found.now.high - found.now.low) / 3


def test_never_seen_is_not_impossible() -> None:
    found = bootstrap.of_items(np.zeros(10), 100, 1)
    assert (found.low, found.high) == (0, 0.3)
    assert bootstrap.of_items(np.ones(300), 100, 1).low == pytest.approx(0.99)


@given(st.lists(st.tuples(st.floats(0, 10), st.integers(0, 4)), min_size=1, max_size=40), st.integers(0, 5))
def test_an_interval_holds_together_and_is_the_same_again(rows: list[tuple[float, int]], seed: int) -> None:
    values, unit = np.array([v for v, _ in rows]), np.array([u for _, u in rows])
    for found in (bootstrap.mean(values, unit, 50, seed), bootstrap.quantile(values, unit, 0.9, 50, seed)):
        assert found.low <= found.high
        assert values.min() - 1e-9 <= found.low
        assert found.high <= values.max() + 1e-9
    assert bootstrap.mean(values, unit, 50, seed) == bootstrap.mean(values, unit, 50, seed)


# ------------------------------------------------------------------ the whole


@pytest.fixture(scope="module")
def settings() -> MeasureSettings:
    return MeasureSettings(
        name="prueba",
        licence="CC0",
        languages=("es", "pt"),
        gates=("grounded_answer right 0.85", "grounded_answer items 100", "story approved 0.9", "hint whole 0.0"),
        tasks=(
            f"choice es {QUESTIONS / 'choice_es.jsonl'}",
            f"grounded_answer es {QUESTIONS / 'grounded_es.jsonl'}",
            f"hint pt {QUESTIONS / 'hint_pt.jsonl'}",
        ),
        items=4,
        answer_tokens=8,
        window=48,
        tokens=60,
        resamples=50,
        threads=1,
    )


@pytest.fixture(scope="module")
def card(files: dict[str, Path], settings: MeasureSettings) -> Path:
    path = files["held"].with_name("card.json")
    evaluate.evaluate(MINI, files["q4"], files["held"], settings, path, path.with_name("reference.npz"))
    return path


def test_the_card_is_what_devices_read_and_opens_nothing_unproved(card: Path) -> None:
    report = cards.load(card)
    assert not report.allows("grounded_answer")  # four questions prove nothing
    assert not report.allows("story")  # nobody approved any
    assert report.allows("hint")  # whatever it says is enough, this recipe claims
    found = json.loads(card.read_bytes())
    conditions = {c["figure"]: c["value"] for c in found["capabilities"]["grounded_answer"]["conditions"]}
    assert conditions["items"] == 4
    assert found["capabilities"]["story"]["conditions"][0]["value"] is None
    assert found["figures"]["kld.es"] > 0
    assert found["figures"]["peak_mb"] > 10
    assert found["figures"]["write_tokens_per_second"] > 0
    assert found["reference"]["size"] == card.with_name("reference.npz").stat().st_size


def test_measuring_goes_on_where_it_was_stopped(
    files: dict[str, Path], settings: MeasureSettings, card: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, asked = card.read_bytes(), []
    whole = evaluate._marks
    monkeypatch.setattr(evaluate, "_marks", lambda *given: asked.append(given[0].name) or whole(*given))
    monkeypatch.setattr(score, "compare", lambda *_: pytest.fail("was finished already"))
    shutil.rmtree(card.with_name("card.parts") / "hint.pt.hint_pt")
    card.unlink()
    evaluate.evaluate(MINI, files["q4"], files["held"], settings, card, card.with_name("reference.npz"))
    assert asked == ["mini.gguf", "q4.gguf"]
    assert card.read_bytes() == before


def test_every_kind_of_task_can_be_asked_and_marked(files: dict[str, Path]) -> None:
    with LlamaEngine.open(files["q4"]) as engine:
        for kind in KINDS:
            name = "grounded" if kind == "grounded_answer" else kind
            file = TaskFile(kind, "es", QUESTIONS / f"{name}_es.jsonl")
            row = (read_choices(file) if kind == "choice" else read_tasks(file))[0]
            marks = evaluate._marks_of(engine, row, 6)
            assert marks is not None
            assert all(0 <= value <= 1 for value in marks.values())


def test_a_task_named_twice_is_refused(files: dict[str, Path], settings: MeasureSettings, tmp_path: Path) -> None:
    twice = MeasureSettings("x", "CC0", ("es",), tasks=(settings.tasks[0],) * 2)
    with pytest.raises(EdgeError, match="twice"):
        evaluate.evaluate(MINI, files["q4"], files["held"], twice, tmp_path / "c.json", tmp_path / "r.npz")


def test_measuring_asks_for_no_torch() -> None:
    import subprocess
    import sys

    code = "import sys, quantize.measure.evaluate, quantize.report.write, quantize.publish.release; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
