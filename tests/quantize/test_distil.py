"""A teacher's opinion is kept on disk and teaches students; a power cut costs a shard or a minute."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

if not all(find_spec(name) for name in ("torch", "transformers", "tokenizers", "accelerate")):
    pytest.skip("needs the tools of a workstation: pip install 'amauta[quantize]'", allow_module_level=True)

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from quantize.lm.network import Llama
from quantize.lm.settings import Shape
from quantize.lm.tokenizer import train_tokenizer
from quantize.recipe import RecipeError
from quantize.shrink import distil as distilling
from quantize.shrink import learn, teacher
from quantize.shrink.cache import load_shard, save_shard, top_of
from quantize.shrink.distil import distil
from quantize.shrink.loss import teacher_loss
from quantize.shrink.settings import TEMPERATURES, DistilSettings
from quantize.shrink.windows import load_windows

VOCABULARY, CONTEXT = 320, 32
WORDS = ("el", "río", "lleva", "agua", "a", "la", "chacra", "y", "niña", "lee", "un", "cuento", "del", "maestro")
SETTINGS = DistilSettings(
    context=CONTEXT,
    tokens=40 * 4 * CONTEXT,
    start="fresh",
    layers=1,
    alpha=0.5,
    top=20,
    rows=4,
    micro_rows=2,
    shard_windows=16,
    rate=0.003,
    embedding_rate=0.003,
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small teacher (`teacher`) that has learned its corpus (`corpus`) a little."""
    from quantize.lm.export import save_network

    folder = tmp_path_factory.mktemp("distil")
    random = np.random.default_rng(1)
    texts = [" ".join(random.choice(WORDS, size=40)) + "." for _ in range(60)]
    rows = [{"lang": "es", "kind": "text", "text": text} for text in texts]
    (folder / "corpus").mkdir()
    (folder / "corpus" / "distil.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    train_tokenizer(texts, VOCABULARY, folder / "words")
    torch.manual_seed(1)
    shape = Shape(VOCABULARY, CONTEXT, hidden=32, layers=2, heads=2, key_heads=1, feed_forward=64)
    save_network(Llama(shape), folder / "untaught")
    for path in (folder / "words").iterdir():
        shutil.copy(path, folder / "untaught" / path.name)
    taught = replace(SETTINGS, start=str(folder / "untaught"), layers=0, alpha=1.0, tokens=80 * 4 * CONTEXT)
    distil(folder / "untaught", folder / "corpus", taught, folder / "teacher", folder / "work-of-teacher")
    return folder


def divergence(house: Path, student: Path) -> float:
    """Mean KL(teacher | student) in nats over whole distributions."""
    windows, _ = load_windows(house / "work-of-teacher" / "windows")
    inputs = torch.from_numpy(windows[:8, :-1].astype("int64"))
    with torch.no_grad():
        ours, theirs = (
            torch.log_softmax(teacher.load_model(folder)(input_ids=inputs).logits, -1)
            for folder in (student, house / "teacher")
        )
    return float((theirs.exp() * (theirs - ours)).sum(-1).mean())


def test_a_taught_student_thinks_more_like_its_teacher(house: Path, tmp_path: Path) -> None:
    distil(house / "teacher", house / "corpus", SETTINGS, tmp_path / "taught", tmp_path / "work")
    alone = replace(SETTINGS, alpha=1.0)
    distil(house / "teacher", house / "corpus", alone, tmp_path / "alone", tmp_path / "work")
    starts = sorted(tmp_path.glob("work/student-*/start"))
    before = divergence(house, starts[0])
    taught, untaught = divergence(house, tmp_path / "taught"), divergence(house, tmp_path / "alone")
    assert taught < before / 2
    assert taught < untaught
    weights = [(start / "model.safetensors").read_bytes() for start in starts]
    assert len(starts) == 2
    assert weights[0] == weights[1]  # both began alike


def test_the_teacher_is_asked_once_for_many_students(
    house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = replace(SETTINGS, tokens=4 * CONTEXT)
    distil(house / "teacher", house / "corpus", few, tmp_path / "one", tmp_path / "work")
    monkeypatch.setattr(teacher, "_think", None)  # asking again would fail
    warmer = replace(few, temperature=2.0)
    distil(house / "teacher", house / "corpus", warmer, tmp_path / "two", tmp_path / "work")
    assert (tmp_path / "two" / "model.safetensors").is_file()


class PowerCutError(Exception):
    """The lights went out."""


def test_an_interrupted_teacher_pass_goes_on_at_the_shard_it_was_at(
    house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few, think, asked = replace(SETTINGS, tokens=4 * CONTEXT), teacher._think, []

    def unlucky(*given: object) -> object:
        asked.append(1)
        if len(asked) == 3:
            raise PowerCutError
        return think(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(teacher, "_think", unlucky)
    with pytest.raises(PowerCutError):
        distil(house / "teacher", house / "corpus", few, tmp_path / "out", tmp_path / "work")
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "work" / "teacher").glob("*.npz")}
    assert len(kept) == 2
    distil(house / "teacher", house / "corpus", few, tmp_path / "out", tmp_path / "work")
    assert all(path.stat().st_mtime_ns == when for path, when in kept.items())
    windows, _ = load_windows(tmp_path / "work" / "windows")
    assert len(asked) == 1 + -(-len(windows) // few.shard_windows)


def test_a_damaged_shard_is_made_again(house: Path, tmp_path: Path) -> None:
    few = replace(SETTINGS, tokens=4 * CONTEXT)
    distil(house / "teacher", house / "corpus", few, tmp_path / "out", tmp_path / "work")
    shard = tmp_path / "work" / "teacher" / "shard-000001.npz"
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-20] + b"x" * 20)
    with pytest.raises(RecipeError, match="damaged"):
        load_shard(shard)
    distil(house / "teacher", house / "corpus", replace(few, seed=2), tmp_path / "out", tmp_path / "work")
    again = load_shard(shard)
    assert again.tokens.shape == (few.shard_windows, CONTEXT, few.top)


def test_a_training_cut_off_goes_on_where_it_was_and_ends_the_same(
    house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = replace(SETTINGS, tokens=10 * 4 * CONTEXT, checkpoint_seconds=0.0)
    distil(house / "teacher", house / "corpus", short, tmp_path / "whole", tmp_path / "work-whole")
    take, steps = learn._step, []

    def unlucky(model: object, batches: object, step: int, *rest: object) -> float:
        steps.append(step)
        if len(steps) == 7:
            raise PowerCutError
        return take(model, batches, step, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(learn, "_step", unlucky)
    with pytest.raises(PowerCutError):
        distil(house / "teacher", house / "corpus", short, tmp_path / "cut", tmp_path / "work")
    distil(house / "teacher", house / "corpus", short, tmp_path / "cut", tmp_path / "work")
    assert steps == [0, 1, 2, 3, 4, 5, 6, 6, 7, 8, 9]
    whole, cut = (teacher.load_model(tmp_path / name).state_dict() for name in ("whole", "cut"))
    assert all(torch.equal(whole[name], cut[name]) for name in whole)


def test_the_round_on_its_own_words_brings_a_student_nearer(house: Path, tmp_path: Path) -> None:
    short = replace(SETTINGS, policy_windows=16, policy_prompt=4)
    distil(house / "teacher", house / "corpus", short, tmp_path / "out", tmp_path / "work")
    own = tmp_path / "work" / f"student-{distilling.name_of(short)}"
    said, weights = load_windows(own / "policy" / "windows")
    assert said.shape == (16, CONTEXT + 1)
    assert weights is not None
    assert weights[0, :3].sum() == 0
    assert divergence(house, tmp_path / "out") < divergence(house, own / "learned")


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([50, 300, 70_000]), st.floats(0.2, 8.0))
def test_the_cache_gives_back_what_the_teacher_thought(seed: int, vocabulary: int, sharpness: float) -> None:
    import tempfile

    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(1, 3, vocabulary, generator=generator) * sharpness
    found = top_of(logits, 20)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shard-000000.npz"
        save_shard(path, found, {})
        again = load_shard(path)
    assert torch.equal(again.tokens, found.tokens)
    for temperature in TEMPERATURES:
        scores, tail = again.at(temperature)
        true = torch.log_softmax(logits / temperature, -1).gather(-1, found.tokens)
        # 16 bits hold a log-probability near -16 to 1/128, and the tail's share likewise.
        assert float((scores - true).exp().sub(1).abs().max()) < 0.02
        assert float((scores.exp().sum(-1) + tail.exp().squeeze(-1) - 1).abs().max()) < 1e-3


def test_a_shard_takes_about_two_hundred_bytes_a_token(tmp_path: Path) -> None:
    save_shard(tmp_path / "shard-000000.npz", top_of(torch.randn(4, 64, 9000), 50), {})
    assert (tmp_path / "shard-000000.npz").stat().st_size / (4 * 64) < 215


def test_a_student_that_thinks_the_same_has_nothing_to_learn() -> None:
    logits = torch.randn(2, 5, 300) * 3
    weights = torch.ones(2, 5)
    same = teacher_loss(logits, top_of(logits, 50), 2.0, weights)
    other = teacher_loss(torch.randn(2, 5, 300), top_of(logits, 50), 2.0, weights)
    assert abs(float(same)) < 1e-4
    assert float(other) > 0.5


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"temperature": 3.0}, "3.0"),
        ({"alpha": 1.5}, "1.5"),
        ({"optimizer": "sgd"}, "sgd"),
        ({"rows": 5}, "5"),
        ({"start": "teacher", "layers": 9}, "9"),
        ({"start": "no/such/folder"}, "no/such/folder"),
        ({"context": 100_000}, "100001"),
    ],
)
def test_a_mistake_in_the_recipe_is_said_in_words(
    house: Path, tmp_path: Path, change: dict[str, object], words: str
) -> None:
    wrong = replace(SETTINGS, **change)  # type: ignore[arg-type]
    with pytest.raises(RecipeError) as caught:
        distil(house / "teacher", house / "corpus", wrong, tmp_path / "out", tmp_path / "work")
    for lang in ("es", "pt", "en"):
        assert words in caught.value.say(lang)


def broken_teacher(house: Path, folder: Path) -> Path:
    """A copy of the teacher whose first weight is not a number."""
    model = teacher.load_model(house / "teacher")
    model.model.embed_tokens.weight.data[0, 0] = float("nan")
    shutil.copytree(house / "teacher", folder)
    model.save_pretrained(folder, safe_serialization=True)
    return folder


def test_a_teacher_that_is_no_number_or_no_whole_file_is_refused(house: Path, tmp_path: Path) -> None:
    folder = broken_teacher(house, tmp_path / "nan")
    with pytest.raises(RecipeError, match="does not answer with numbers"):
        distil(folder, house / "corpus", SETTINGS, tmp_path / "out", tmp_path / "work")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(RecipeError, match="cannot be read"):
        distil(folder, house / "corpus", SETTINGS, tmp_path / "out", tmp_path / "work")
