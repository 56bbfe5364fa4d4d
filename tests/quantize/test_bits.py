"""Bits per tensor, on a network of a million weights that was trained for two seconds."""

from __future__ import annotations

import ctypes
import json
import re
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

if not all(find_spec(name) for name in ("torch", "transformers", "gguf", "tokenizers", "llama_cpp")):
    pytest.skip("needs the tools of a workstation: pip install 'amauta[quantize]'", allow_module_level=True)

import torch

from edge.errors import EdgeError
from edge.tutor.llama_library import load_library
from quantize.bits import ledger
from quantize.bits.allocate import Plan, allocate, plan_of, read_plan
from quantize.bits.candidates import Candidates, usable
from quantize.bits.ggml import KINDS, BitsError, block_facts, kind_of, pack, rounded
from quantize.bits.importance import importance
from quantize.bits.kld import divergence, reading
from quantize.bits.knapsack import Choice, choose
from quantize.bits.parent import fitting, read_parent
from quantize.bits.promise import differing, promise
from quantize.bits.qad import qad
from quantize.bits.quantize import quantize, write_mix, write_planned
from quantize.bits.ram import Ram, ram_of
from quantize.bits.sensitivity import measured, rank_correlation
from quantize.bits.settings import AllocateSettings, ImportanceSettings, QadSettings
from quantize.bits.twins import graft, load_model, pairs_of
from quantize.bits.words import cut
from quantize.lm.convert import convert
from quantize.lm.export import save_network
from quantize.lm.network import Llama
from quantize.lm.settings import Shape
from quantize.lm.tokenizer import load_tokenizer, train_tokenizer

ROOT = Path(__file__).parents[2]
SHAPE = Shape(vocabulary=512, context=128, hidden=256, layers=2, heads=4, key_heads=2, feed_forward=256)
TYPES = ("Q2_K", "Q3_K", "Q4_0", "Q4_K", "Q6_K", "Q8_0")
IMPORTANCE = ImportanceSettings(windows=40, window=32, imatrix_windows=48, types=TYPES)
QAD = QadSettings(steps=24, rates=("3e-4",), rows=8, window=32, texts=48, held=16, every=8)


@dataclass(frozen=True)
class Made:
    """A trained folder, its 16-bit file, text, and what was measured."""

    folder: Path
    gguf: Path
    calibration: Path
    importance: Path

    def plan(self, where: Path, bits: float) -> Path:
        allocate(self.gguf, self.importance, AllocateSettings(bits=bits), where)
        return where


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    base = tmp_path_factory.mktemp("bits")
    pages = sorted((ROOT / "edge" / "packs" / "primaria" / "lessons").glob("*"))[:6]
    texts = [line for page in pages for line in page.read_text(encoding="utf-8").splitlines() if len(line) > 40]
    rows = [json.dumps({"lang": "es", "kind": "text", "text": text}) for text in texts]
    (base / "calibration.jsonl").write_text("\n".join(rows), encoding="utf-8")
    train_tokenizer(texts, SHAPE.vocabulary, base / "folder")
    stream = [token for text in texts for token in load_tokenizer(base / "folder").encode(text).ids]
    save_network(trained(torch.tensor(stream)), base / "folder")
    convert(base / "folder", "tiny", "CC0-1.0", base / "tiny.gguf")
    found = Made(base / "folder", base / "tiny.gguf", base / "calibration.jsonl", base / "importance.npz")
    importance(found.folder, found.gguf, found.calibration, IMPORTANCE, found.importance, base / "work")
    return found


def trained(stream: torch.Tensor) -> Llama:
    torch.manual_seed(1)
    torch.set_num_threads(1)
    model = Llama(SHAPE)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(40):
        starts = torch.randint(len(stream) - 33, (8,))
        rows = torch.stack([stream[at : at + 33] for at in starts])
        logits = model(rows[:, :-1])
        loss = torch.nn.functional.cross_entropy(logits.reshape(-1, SHAPE.vocabulary), rows[:, 1:].reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 5.8  # it learned something: chance is 6.2
    return model


@pytest.fixture(scope="module")
def windows(made: Made) -> np.ndarray:
    return cut(made.gguf, made.calibration, 32, 9)[:24]


# --- ggml -------------------------------------------------------------------------------------


def test_the_table_of_types_is_ggmls_own() -> None:
    assert {name: block_facts(kind) for name, kind in KINDS.items()} == {
        name: (kind.block, kind.block_bytes) for name, kind in KINDS.items()
    }


def test_more_bits_come_nearer() -> None:
    values = np.random.default_rng(1).standard_normal((8, 256)).astype(np.float32)
    errors = [
        float(np.square(rounded(values, kind_of(name)) - values).sum())
        for name in ("Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "Q8_0", "F16")
    ]
    assert errors == sorted(errors, reverse=True)


def test_threads_change_nothing() -> None:
    values = np.random.default_rng(1).standard_normal((64, 256)).astype(np.float32)
    weights = np.random.default_rng(2).random(256).astype(np.float32)
    assert np.array_equal(pack(values, kind_of("Q4_K"), weights, 1), pack(values, kind_of("Q4_K"), weights, 4))


def test_what_does_not_fit_a_type_is_said_in_words() -> None:
    values = np.ones((2, 64), dtype=np.float32)
    with pytest.raises(BitsError, match="multiple of 256 numbers, and these have 64"):
        pack(values, kind_of("Q4_K"))
    with pytest.raises(BitsError, match="Q9_X"):
        kind_of("Q9_X")
    with pytest.raises(BitsError, match="without an importance matrix"):
        pack(np.ones((2, 256), dtype=np.float32), kind_of("IQ2_XXS"))
    with pytest.raises(BitsError, match="not valid"):
        pack(np.full((2, 64), np.nan, dtype=np.float32), kind_of("Q8_0"))


def test_rows_that_are_no_multiple_of_256_get_the_types_of_32() -> None:
    assert [kind.name for kind in fitting((*TYPES, "IQ4_NL", "Q5_0"), 64)] == ["IQ4_NL", "Q4_0", "Q5_0", "Q8_0", "F16"]
    assert [kind.name for kind in fitting(TYPES, 172)] == ["F16"]


# --- importance ---------------------------------------------------------------------------------


def test_the_importance_matrix_is_the_mean_square_of_what_goes_in(made: Made) -> None:
    model = load_model(made.folder)
    tokens = torch.from_numpy(cut(made.gguf, made.calibration, IMPORTANCE.window, IMPORTANCE.seed)[:48])
    with torch.no_grad():
        layer = model.model.layers[0]
        goes_in = layer.input_layernorm(model.model.embed_tokens(tokens))
        last = model.model(input_ids=tokens).last_hidden_state
    found = ledger.load(made.importance)[0]["imatrix"]
    for name, values in (("blk.0.attn_q.weight", goes_in), ("token_embd.weight", last)):
        assert found[name] == pytest.approx(values.square().mean((0, 1)).numpy(), rel=1e-3)


def test_queries_and_keys_are_paired_in_llama_cpps_order(made: Made) -> None:
    parent = read_parent(made.gguf)
    pairs = pairs_of(load_model(made.folder), parent)
    assert len(pairs) == len(parent.plannable) == 15
    turned = {pair.tensor.name for pair in pairs if pair.order is not None}
    assert turned == {f"blk.{layer}.attn_{part}.weight" for layer in (0, 1) for part in "qk"}
    values = parent.values(pairs[0].tensor)
    for pair in pairs:
        values = parent.values(pair.tensor)
        assert np.array_equal(pair.to_gguf(pair.to_torch(values)), values)


def test_words_that_the_file_left_out_are_passed_over(made: Made, tmp_path: Path) -> None:
    model = load_model(made.folder)
    model.resize_token_embeddings(SHAPE.vocabulary + 8, mean_resizing=False)
    model.save_pretrained(tmp_path / "wider")
    few = replace(IMPORTANCE, windows=1, imatrix_windows=1, types=("Q4_0",))
    importance(tmp_path / "wider", made.gguf, made.calibration, few, tmp_path / "i.npz", tmp_path / "work")
    scores = ledger.load(tmp_path / "i.npz")[0]["fisher"]["token_embd.weight"]
    assert scores[0] > scores[1] >= 0


def test_fisher_scores_rank_like_measuring_one_at_a_time(made: Made, windows: np.ndarray) -> None:
    names = [tensor.name for tensor in read_parent(made.gguf).plannable][::2]
    real, predicted = measured(made.folder, made.gguf, made.importance, windows[:8], names)
    assert len(real) == 8
    assert rank_correlation(predicted, real) >= 0.9
    big = {name: costs for name, costs in real.items() if costs.max() > 1e-3}
    ratio = [p / r for name in big for p, r in zip(predicted[name], real[name], strict=True) if r > 1e-4]
    assert 0.5 < float(np.median(ratio)) < 2.0  # not only in order: in nats


def test_without_fisher_the_weighted_error_is_what_is_left(made: Made, tmp_path: Path) -> None:
    fewer = replace(IMPORTANCE, fisher=False, imatrix_windows=8, types=("Q2_K", "Q4_K"))
    importance(made.folder, made.gguf, made.calibration, fewer, tmp_path / "i.npz", tmp_path / "work")
    found, facts = ledger.load(tmp_path / "i.npz")
    assert not found["fisher"]
    assert facts["types"]["token_embd.weight"] == ["Q2_K", "Q4_K", "F16"]
    assert all(error[0] > error[1] > error[2] for error in found["error"].values())
    plan = allocate(made.gguf, tmp_path / "i.npz", AllocateSettings(bits=4.0), None)
    assert 3.9 < plan.bits_per_weight <= 4.0


def test_small_memory_gives_the_same_scores_in_several_rounds(made: Made, tmp_path: Path) -> None:
    fewer = replace(IMPORTANCE, windows=2, imatrix_windows=8, types=("Q2_K", "Q3_K"))
    for name, memory in (("whole", 4000), ("parts", 1)):
        settings = replace(fewer, memory_mb=memory)
        importance(made.folder, made.gguf, made.calibration, settings, tmp_path / f"{name}.npz", tmp_path / "work")
    whole, parts = (ledger.load(tmp_path / f"{name}.npz")[0]["fisher"] for name in ("whole", "parts"))
    assert whole.keys() == parts.keys()
    assert all(parts[name] == pytest.approx(whole[name], rel=1e-4) for name in whole)


def test_types_of_a_large_tensor_are_measured_in_several_rounds(made: Made, tmp_path: Path) -> None:
    from quantize.bits.fisher import _groups

    parent = read_parent(made.gguf)
    pairs = pairs_of(load_model(made.folder), parent)
    candidates = Candidates(parent, {}, TYPES, tmp_path, 1)
    groups = list(_groups(pairs, candidates, 600_000))
    assert all(sum(share.bytes for share in group) <= 600_000 for group in groups)
    assert all(len({id(share.pair) for share in group}) == len(group) for group in groups)
    for pair in pairs:
        kinds = [kind for group in groups for share in group if share.pair is pair for kind in share.kinds]
        assert tuple(kinds) == candidates.kinds_for(pair.tensor)


def test_columns_that_calibration_never_used_still_count_a_little(made: Made) -> None:
    parent = read_parent(made.gguf)
    weights = np.zeros(256, dtype=np.float32)
    weights[:4] = 1.0
    kept = usable({"blk.0.attn_q.weight": weights, "blk.0.attn_k.weight": np.full(256, np.nan)}, parent)
    assert kept.keys() == {"blk.0.attn_q.weight"}
    assert kept["blk.0.attn_q.weight"].min() > 0


# --- allocation ---------------------------------------------------------------------------------


def test_the_budget_is_met_within_half_a_percent() -> None:
    rng = np.random.default_rng(5)
    bits = np.array([2.625, 3.4375, 4.5, 5.5, 6.5625, 8.5, 16.0])
    choices = []
    for size in rng.choice([65_536, 262_144, 1_048_576], 120):
        choices.append(Choice((size * bits / 8).astype(np.int64), rng.random() * 4.0**-bits))
    numbers = sum(int(c.bytes[-1]) // 2 for c in choices)
    for wanted in (2.7, 3.2, 4.0, 4.93, 6.0, 9.0):
        room = int(wanted * numbers / 8)
        taken = choose(choices, room)
        assert taken is not None
        used = sum(int(c.bytes[at]) for c, at in zip(choices, taken, strict=True))
        assert 0.995 * room <= used <= room


@pytest.mark.parametrize("bits", [3.2, 4.0, 5.3])
def test_a_small_model_is_filled_until_no_better_type_fits(made: Made, bits: float) -> None:
    parent = read_parent(made.gguf)
    plan = allocate(made.gguf, made.importance, AllocateSettings(bits=bits), None)
    spare = plan.budget["room"] - plan.bytes
    found, facts = ledger.load(made.importance)
    for tensor in parent.plannable:
        names, costs = facts["types"][tensor.name], found["fisher"][tensor.name]
        now = names.index(plan.types[tensor.name])
        for name, cost in zip(names, costs, strict=True):
            more = parent.size_with(plan.types | {tensor.name: name}) - plan.bytes
            assert more > spare or cost >= costs[now]


def test_more_bytes_never_cost_more(made: Made) -> None:
    plans = [allocate(made.gguf, made.importance, AllocateSettings(bits=b), None) for b in (3.0, 3.5, 4.0, 5.0, 6.0)]
    costs = [plan.predicted_kld for plan in plans]
    assert costs == sorted(costs, reverse=True)


def test_it_is_better_than_one_type_for_all(made: Made) -> None:
    parent = read_parent(made.gguf)
    found, facts = ledger.load(made.importance)
    same = {t.name: "Q4_K" for t in parent.plannable}
    cost = sum(found["fisher"][n][facts["types"][n].index("Q4_K")] for n in same)
    plan = allocate(made.gguf, made.importance, AllocateSettings(bytes=parent.size_with(same)), None)
    assert plan.predicted_kld < 0.9 * cost


def test_a_knapsack_of_two_is_solved_exactly() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        choices = [Choice(rng.integers(10, 100, 4) * 32, rng.random(4)) for _ in range(4)]
        room = int(sum(c.bytes.min() for c in choices) * 1.4)
        taken = choose(choices, room)
        assert taken is not None
        cost = sum(c.cost[at] for c, at in zip(choices, taken, strict=True))
        every = np.array(np.meshgrid(*[range(4)] * 4)).reshape(4, -1)
        sizes = sum(c.bytes[row] for c, row in zip(choices, every, strict=True))
        costs = sum(c.cost[row] for c, row in zip(choices, every, strict=True))
        assert cost <= costs[sizes <= room].min() + 0.35  # near the best of all 256


def test_a_dry_run_writes_nothing_and_a_plan_reads_back(made: Made, tmp_path: Path) -> None:
    dry = allocate(made.gguf, made.importance, AllocateSettings(bits=4.0), None)
    assert not list(tmp_path.glob("*.json"))
    assert read_plan(made.plan(tmp_path / "plan.json", 4.0)) == dry


def test_types_slow_on_old_processors_are_left_out_on_request(made: Made, tmp_path: Path) -> None:
    types = ("IQ3_XXS", "Q3_K", "Q4_K")
    few = replace(IMPORTANCE, windows=4, imatrix_windows=8, types=types)
    importance(made.folder, made.gguf, made.calibration, few, tmp_path / "i.npz", tmp_path / "work")
    used = {
        fast: set(
            allocate(made.gguf, tmp_path / "i.npz", AllocateSettings(bits=3.5, fast_only=fast), None).types.values()
        )
        for fast in (False, True)
    }
    assert "IQ3_XXS" in used[False]
    assert not any(kind_of(name).slow for name in used[True])


def test_only_wished_types_are_used(made: Made) -> None:
    settings = AllocateSettings(bits=5.0, types=("Q4_0", "Q8_0"))
    assert set(allocate(made.gguf, made.importance, settings, None).types.values()) <= {"Q4_0", "Q8_0", "F16"}
    with pytest.raises(BitsError, match="Q4_X"):
        allocate(made.gguf, made.importance, replace(settings, types=("Q4_X",)), None)


def test_a_budget_too_small_names_the_least(made: Made) -> None:
    with pytest.raises(BitsError, match=r"does not fit in 100000 bytes: .* the least is \d+"):
        allocate(made.gguf, made.importance, AllocateSettings(bytes=100_000), None)


def test_memory_that_the_conversation_fills_is_too_small(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quantize.bits.allocate.ram_of", lambda *_: Ram(0, 3 << 20, 1 << 20))
    with pytest.raises(BitsError, match=r"3 MB of memory leave nothing for the weights.* takes 4 MB"):
        allocate(made.gguf, made.importance, AllocateSettings(ram_mb=3), None)


def test_a_budget_too_large_gives_the_best_and_says_so(made: Made) -> None:
    plan = allocate(made.gguf, made.importance, AllocateSettings(bytes=1 << 30), None)
    assert set(plan.types.values()) == {"F16"}
    assert plan.budget["reached"] is False


@pytest.mark.parametrize("settings", [AllocateSettings(), AllocateSettings(bytes=10**6, bits=4.0)])
def test_a_budget_is_said_in_one_way(made: Made, settings: AllocateSettings) -> None:
    with pytest.raises(BitsError, match="exactly one way"):
        allocate(made.gguf, made.importance, settings, None)


def test_a_budget_of_memory_counts_the_conversation(made: Made) -> None:
    parent = read_parent(made.gguf)
    plan = allocate(made.gguf, made.importance, AllocateSettings(ram_mb=2, context=128), None)
    assert plan.ram["total"] <= 2 << 20
    assert plan.ram["conversation"] == 2 * 2 * 256 * (
        2 * 64 * 2
    )  # bytes, layers, tokens (llama.cpp rounds up), keys and values
    assert plan.ram["total"] == ram_of(parent, plan.bytes, 128).total


def test_the_memory_estimate_is_near_what_llama_cpp_reports(made: Made) -> None:
    library = load_library()
    said: list[str] = []
    listen = library.api.llama_log_callback(lambda level, text, _: said.append(text.decode("utf-8", "replace")))
    library.api.llama_log_set(listen, ctypes.c_void_p(0))
    try:
        with reading(made.gguf, 128):
            pass
    finally:
        library.api.llama_log_set(library.keep, ctypes.c_void_p(0))
    reported = {
        kind: sum(float(mb) for mb in re.findall(rf"{kind} buffer size = +([\d.]+) MiB", "".join(said))) * (1 << 20)
        for kind in ("KV", "compute", "output")
    }
    ours = ram_of(read_parent(made.gguf), 0, 128)
    assert ours.conversation == pytest.approx(reported["KV"], rel=0.05)
    assert 0.5 < ours.working / (reported["compute"] + reported["output"]) < 2.0


# --- the written file ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def varied(made: Made, tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Path]:
    """A plan with every type in it, and its file."""
    parent = read_parent(made.gguf)
    kinds = {t.name: (*TYPES, "IQ4_XS", "Q5_K", "F16")[n % 9] for n, t in enumerate(parent.plannable)}
    plan = plan_of(parent, kinds)
    path = tmp_path_factory.mktemp("varied") / "varied.gguf"
    write_planned(parent, plan, ledger.load(made.importance)[0]["imatrix"], path)
    return plan, path


def test_the_file_is_exactly_as_planned(made: Made, varied: tuple[Plan, Path]) -> None:
    plan, path = varied
    assert path.stat().st_size == plan.bytes
    assert {t.name: t.kind for t in read_parent(path).plannable} == plan.types
    assert differing(made.gguf, path, ledger.load(made.importance)[0]["imatrix"]) == []


def test_another_importance_would_be_noticed(made: Made, varied: tuple[Plan, Path]) -> None:
    assert differing(made.gguf, varied[1], {}) != []


def test_llama_cpp_gives_the_scores_that_were_promised(
    made: Made, varied: tuple[Plan, Path], windows: np.ndarray
) -> None:
    kept = promise(made.folder, made.gguf, varied[1], windows[:4])
    assert kept.tokens == 128
    assert kept.largest < 0.25 * kept.spread
    other = promise(made.folder, made.gguf, made.gguf, windows[:4])
    assert other.largest < 0.02 * other.spread  # nothing rounded: nearly the same


def test_a_tensor_that_did_not_change_is_the_same_in_the_next_release(made: Made, tmp_path: Path) -> None:
    model = load_model(made.folder)
    model.model.layers[1].mlp.up_proj.weight.data.mul_(1.01)
    model.save_pretrained(tmp_path / "next")
    graft(made.gguf, tmp_path / "next", tmp_path / "next.gguf")
    plan = made.plan(tmp_path / "plan.json", 4.0)
    quantize(made.gguf, plan, made.importance, tmp_path / "one.gguf")
    quantize(tmp_path / "next.gguf", plan, made.importance, tmp_path / "two.gguf", threads=2)
    one, two = read_parent(tmp_path / "one.gguf"), read_parent(tmp_path / "two.gguf")
    changed = [t.name for t in one.tensors if not np.array_equal(one.packed(t), two.packed(t))]
    assert changed == ["blk.1.ffn_up.weight"]


def test_it_says_less_wrong_than_llama_cpps_own_mixture_of_that_size(
    made: Made, tmp_path: Path, windows: np.ndarray
) -> None:
    imatrix = ledger.load(made.importance)[0]["imatrix"]
    write_mix(made.gguf, "Q4_K_M", imatrix, tmp_path / "stock.gguf")
    size = (tmp_path / "stock.gguf").stat().st_size
    allocate(made.gguf, made.importance, AllocateSettings(bytes=size), tmp_path / "plan.json")
    quantize(made.gguf, tmp_path / "plan.json", made.importance, tmp_path / "ours.gguf")
    stock, ours = (divergence(made.gguf, tmp_path / f"{name}.gguf", windows) for name in ("stock", "ours"))
    assert (tmp_path / "ours.gguf").stat().st_size <= size
    assert ours.mean < 0.9 * stock.mean


def test_a_plan_of_another_model_is_refused(made: Made, tmp_path: Path) -> None:
    plan = made.plan(tmp_path / "plan.json", 4.0)
    facts = json.loads(plan.read_bytes())
    del facts["types"]["blk.0.attn_q.weight"]
    plan.write_text(json.dumps(facts))
    with pytest.raises(BitsError, match=re.escape("they do not agree on blk.0.attn_q.weight")):
        quantize(made.gguf, plan, made.importance, tmp_path / "x.gguf")
    assert not (tmp_path / "x.gguf").exists()


def test_a_quantized_file_is_no_parent(made: Made, varied: tuple[Plan, Path], tmp_path: Path) -> None:
    with pytest.raises(BitsError, match="already quantized"):
        importance(made.folder, varied[1], made.calibration, IMPORTANCE, tmp_path / "i.npz", tmp_path / "work")


def test_weights_that_are_no_numbers_are_named(made: Made, tmp_path: Path) -> None:
    model = load_model(made.folder)
    model.model.layers[0].self_attn.o_proj.weight.data[3, 3] = float("nan")
    model.save_pretrained(tmp_path / "broken")
    with pytest.raises(BitsError, match=r"layers\.0\.self_attn\.o_proj\.weight holds numbers that are not numbers"):
        importance(tmp_path / "broken", made.gguf, made.calibration, IMPORTANCE, tmp_path / "i.npz", tmp_path / "w")
    parent = read_parent(made.gguf)
    tensor = parent.plannable[3]
    content = bytearray(made.gguf.read_bytes())
    content[tensor.start : tensor.start + 2] = b"\x00\x7e"
    (tmp_path / "broken.gguf").write_bytes(content)
    broken = read_parent(tmp_path / "broken.gguf")
    with pytest.raises(BitsError, match=re.escape(tensor.name)):
        broken.values(broken.plannable[3])


def test_another_models_folder_is_refused(made: Made, tmp_path: Path) -> None:
    model = load_model(made.folder)
    model.model.layers[0].mlp.up_proj.weight.data.mul_(-1)
    model.save_pretrained(tmp_path / "other")
    with pytest.raises(BitsError, match="not the same model"):
        importance(tmp_path / "other", made.gguf, made.calibration, IMPORTANCE, tmp_path / "i.npz", tmp_path / "w")


def test_too_little_text_is_said_in_words(made: Made, tmp_path: Path) -> None:
    (tmp_path / "short.jsonl").write_text('{"text": "hola"}')
    with pytest.raises(EdgeError, match="too short"):
        importance(made.folder, made.gguf, tmp_path / "short.jsonl", IMPORTANCE, tmp_path / "i.npz", tmp_path / "w")
    (tmp_path / "odd.jsonl").write_text('{"text": "hola"}\n[1]')
    with pytest.raises(EdgeError, match="line 2"):
        cut(made.gguf, tmp_path / "odd.jsonl", 32, 1)


# --- power cuts ---------------------------------------------------------------------------------

DIES = """
import os, signal, sys
from pathlib import Path
from quantize.bits import fisher, ledger, qad
from quantize.bits.importance import importance
from quantize.bits.settings import *

ledger.CHECKPOINT_SECONDS = qad.CHECKPOINT_SECONDS = 0.0
left = [int(sys.argv[1])]

def dying(real):
    def call(*given):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*given)
    return call

fisher._surprise = dying(fisher._surprise)
qad.judge = dying(qad.judge)
"""


def die(script: str, after: int) -> None:
    done = subprocess.run([sys.executable, "-c", f"{DIES}\n{script}", str(after)], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL


@pytest.mark.slow
def test_importance_killed_goes_on_and_finds_the_same(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = replace(IMPORTANCE, windows=12, imatrix_windows=16, types=("Q2_K", "Q4_K"))
    paths = tuple(str(path) for path in (made.folder, made.gguf, made.calibration))
    give = f"*map(Path, {paths!r}), {few!r}, Path({str(tmp_path / 'i.npz')!r}), Path({str(tmp_path / 'work')!r})"
    die(f"importance({give})", 8)
    assert not (tmp_path / "i.npz").exists()
    kept = {path.name for path in (tmp_path / "work").rglob("*")}
    assert {"imatrix.npz", "fisher-0.npz", "candidates"} <= kept
    counted = []
    from quantize.bits import fisher

    real = fisher._surprise
    monkeypatch.setattr(fisher, "_surprise", lambda *given: counted.append(1) or real(*given))
    importance(made.folder, made.gguf, made.calibration, few, tmp_path / "i.npz", tmp_path / "work")
    assert len(counted) == 12 - 7  # seven windows were kept
    importance(made.folder, made.gguf, made.calibration, few, tmp_path / "whole.npz", tmp_path / "work")
    cut_off, whole = (ledger.load(tmp_path / name)[0] for name in ("i.npz", "whole.npz"))
    for kind in ("imatrix", "error", "fisher"):
        assert all(cut_off[kind][name] == pytest.approx(whole[kind][name], rel=1e-6) for name in whole[kind])
    assert not list((tmp_path / "work").iterdir())


@pytest.mark.slow
def test_training_killed_goes_on_where_it_was(made: Made, tmp_path: Path) -> None:
    settings = replace(QAD, steps=8, every=2, texts=16)
    plan = made.plan(tmp_path / "plan.json", 3.2)
    inputs = (made.folder, made.gguf, plan, made.importance, made.calibration)
    for name in ("whole", "cut"):
        where = (str(tmp_path / name), str(tmp_path / f"work-{name}"))
        if name == "cut":
            given = f"*map(Path, {tuple(map(str, inputs))!r}), {settings!r}, *map(Path, {where!r})"
            die(f"qad.qad({given})", 4)  # judged before training and after steps 2 and 4
            assert not (tmp_path / "cut").exists()
        qad(*inputs, settings, *map(Path, where))
    whole, cut_off = (json.loads((tmp_path / name / "qad.json").read_bytes()) for name in ("whole", "cut"))
    assert [row["step"] for row in cut_off["log"]] == [0, 2, 4, 6, 8]
    assert cut_off["kld_after"] == pytest.approx(whole["kld_after"], rel=1e-5)


# --- training on the grid -----------------------------------------------------------------------


def test_training_on_the_grid_comes_nearer_to_the_full_model(made: Made, tmp_path: Path, windows: np.ndarray) -> None:
    parent, plan = read_parent(made.gguf), tmp_path / "plan.json"
    coarse = plan_of(parent, {tensor.name: "Q2_K" for tensor in parent.plannable})
    plan.write_text(json.dumps(asdict(replace(coarse, predicted_kld=0.0))))
    inputs = (made.folder, made.gguf, plan, made.importance, made.calibration)
    assert qad(*inputs, QAD, tmp_path / "trained", tmp_path / "work") is True
    facts = json.loads((tmp_path / "trained" / "qad.json").read_bytes())
    assert facts["kld_after"] < 0.97 * facts["kld_before"]
    graft(made.gguf, tmp_path / "trained", tmp_path / "trained.gguf")
    quantize(made.gguf, plan, made.importance, tmp_path / "plain.q.gguf")
    quantize(tmp_path / "trained.gguf", plan, made.importance, tmp_path / "trained.q.gguf")
    plain, ours = (divergence(made.gguf, tmp_path / f"{name}.q.gguf", windows) for name in ("plain", "trained"))
    assert ours.mean < plain.mean
    assert (tmp_path / "trained" / "tokenizer.json").is_file()


def test_training_that_does_not_help_is_not_kept(made: Made, tmp_path: Path) -> None:
    plan = made.plan(tmp_path / "plan.json", 4.0)
    hot = replace(QAD, rates=("0.5",), steps=2, every=1, texts=8, held=4)
    inputs = (made.folder, made.gguf, plan, made.importance, made.calibration)
    assert qad(*inputs, hot, tmp_path / "trained", tmp_path / "work") is False
    before, after = ((path / "model.safetensors").read_bytes() for path in (made.folder, tmp_path / "trained"))
    assert before == after


def test_what_was_trained_is_what_is_written(made: Made, tmp_path: Path) -> None:
    """The numbers that training judged are those of the file: nothing is lost between."""
    from quantize.bits.grid import Grid

    parent, imatrix = read_parent(made.gguf), ledger.load(made.importance)[0]["imatrix"]
    plan = read_plan(made.plan(tmp_path / "plan.json", 3.5))
    model = load_model(made.folder)
    grid = Grid(model, pairs_of(model, parent), plan.types, imatrix)
    for weights in grid.behind.values():
        weights.mul_(1.003)
    grid.show()
    shown = {name: value.detach().clone() for name, value in model.named_parameters()}
    grid.uncover()
    model.save_pretrained(tmp_path / "behind")
    graft(made.gguf, tmp_path / "behind", tmp_path / "behind.gguf")
    write_planned(read_parent(tmp_path / "behind.gguf"), plan, imatrix, tmp_path / "q.gguf")
    written = read_parent(tmp_path / "q.gguf")
    tensors = {tensor.name: tensor for tensor in written.tensors}
    for pair in pairs_of(load_model(tmp_path / "behind"), read_parent(tmp_path / "behind.gguf")):
        values = pair.to_torch(written.unpacked(tensors[pair.tensor.name]))
        assert np.array_equal(values, shown[pair.parameter].numpy())


def test_candidates_on_disk_are_not_packed_again(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parent = read_parent(made.gguf)
    known = Candidates(parent, {}, ("Q4_0",), tmp_path, 1)
    tensor = parent.plannable[1]
    first = known.change(tensor, kind_of("Q4_0"), parent.values(tensor))
    monkeypatch.setattr("quantize.bits.candidates.pack", lambda *_: pytest.fail("packed again"))
    assert np.array_equal(known.change(tensor, kind_of("Q4_0"), parent.values(tensor)), first)
