"""The report: one page without a network, every drawing with its table, and a page that a director understands."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("numpy")

from hypothesis import given
from hypothesis import strategies as st

from edge.words import LANGUAGES
from quantize.recipe import RecipeError
from quantize.report import svg
from quantize.report.front import Expected
from quantize.report.page import number, percent
from quantize.report.write import write_report

VOID = {"meta", "line", "circle", "rect", "polyline", "br"}


def mark(before: float, now: float) -> dict[str, Any]:
    return {
        "items": 40,
        "before": [before, before - 0.05, before + 0.05],
        "now": [now, now - 0.05, now + 0.05],
        "difference": [now - before, now - before - 0.03, now - before + 0.03],
        "flipped": [0.1, 0.02, 0.2],
        "lost": 3,
        "won": 1,
    }


def chances(kld: float) -> dict[str, Any]:
    row = {
        "tokens": 4000,
        "texts": 30,
        "bytes": 15000,
        "kld": [kld, kld * 0.9, kld * 1.1],
        "kld_999": [kld * 20, kld * 15, kld * 30],
        "top1": [0.95, 0.94, 0.96],
        "perplexity": 12.5,
        "parent_perplexity": 12.4,
        "bits_per_byte": 1.1,
        "parent_bits_per_byte": 1.09,
    }
    return {"es": row, "quy": row | {"top1": [0.87, 0.85, 0.89]}}


def card(**changes: Any) -> dict[str, Any]:
    found = {
        "model": "prueba",
        "file": "prueba.gguf",
        "sha256": "a" * 64,
        "size": 4_786_400,
        "licence": "llama3.1",
        "notice": "Built with Llama.",
        "languages": ["es", "quy"],
        "parameters": 6_819_072,
        "bits_per_weight": 5.6,
        "parent": {"file": "prueba-f16.gguf", "sha256": "b" * 64, "size": 13_000_000},
        "figures": {},
        "capabilities": {
            "grounded_answer": {
                "conditions": [
                    {"figure": "right", "value": 0.915, "least": 0.85},
                    {"figure": "items", "value": 120.0, "least": 100},
                ]
            },
            "story": {"conditions": [{"figure": "approved", "value": None, "least": 0.9}]},
            "free_chat": {
                "conditions": [
                    {"figure": "f1", "value": 0.5, "least": 0.6},
                    {"figure": "whole", "value": 0.999, "least": 0.99},
                ]
            },
        },
        "measured": {
            "chances": chances(0.002),
            "tasks": {
                "grounded_answer.es.grounded_es": {"items": 120, "too_long": 0, "marks": {"right": mark(0.93, 0.915)}},
                "choice.es.exams_spanish": {"items": 100, "too_long": 2, "marks": {"right": mark(0.5, 0.48)}},
            },
            "speed": {
                "threads": 2,
                "load_ms": 80.0,
                "read_tokens_per_second": 60.0,
                "write_tokens_per_second": 4.0,
                "first_token_ms": 2600.0,
                "gigabytes_per_second": 9.0,
                "peak_mb": 812.4,
            },
        },
    }
    return found | changes


PLAN = {
    "types": {
        "token_embd.weight": "Q6_K",
        **{f"blk.{n}.{part}.weight": "Q4_K" for n in range(32) for part in ("attn_q", "ffn_down", "ffn_up")},
        "blk.3.ffn_down.weight": "Q8_0",
    },
    "predicted_kld": 0.0021,
}
MIX = {
    "parts": {"held": {"licences": {"novels-es": "public domain"}}, "distil": {"licences": {"openstax": "CC-BY-4.0"}}}
}


def written(folder: Path, lang: str = "es", found: dict[str, Any] | None = None) -> Path:
    paths = {"card": found or card(), "plan": PLAN, "mix": MIX, "other": card(file="otro.gguf", size=9_000_000)}
    paths["other"]["measured"] = {"chances": chances(0.0004), "tasks": {}}
    for name, content in paths.items():
        (folder / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    card_path, plan, mix, other = (folder / f"{name}.json" for name in paths)
    write_report(
        card_path, folder / "out", plan, [other], mix, lang, [Expected(3_000_000, 0.02), Expected(9_000_000, 3e-4)]
    )
    return folder / "out"


class Reader(HTMLParser):
    """Checks that every tag is closed, and keeps the text and the order of drawings and tables."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.loads: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data", "xlink:href")]
        if tag in ("svg", "table", "script", "link", "iframe", "img"):
            self.seen.append(tag)
        if tag == "svg":
            assert named["role"] == "img"
            assert len(named["aria-label"] or "") > 10
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def read(path: Path) -> Reader:
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    reader.close()
    assert reader.open == []
    return reader


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_pages_need_no_network(tmp_path: Path, lang: str) -> None:
    out = written(tmp_path, lang)
    for name in ("report.html", "boletin.html"):
        reader, text = read(out / name), (out / name).read_text(encoding="utf-8")
        assert reader.loads == []
        assert not {"script", "link", "iframe", "img"} & set(reader.seen)
        assert not re.search(r"https?:|url\(|@import|//[a-z]", text)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_drawing_has_a_table_that_says_the_same(tmp_path: Path, lang: str) -> None:
    seen = read(written(tmp_path, lang) / "report.html").seen
    assert seen.count("svg") == 6
    after = [seen[at + 1 :] for at, tag in enumerate(seen) if tag == "svg"]
    assert all("table" in rest[:2] for rest in after)  # two drawings of one table stand together


def test_the_page_speaks_the_language_that_was_asked_for(tmp_path: Path) -> None:
    said = {}
    for lang, words in {"es": "Qué puede hacer", "pt": "O que pode fazer", "en": "What it may do"}.items():
        (tmp_path / lang).mkdir()
        said[lang] = (written(tmp_path / lang, lang) / "report.html").read_text(encoding="utf-8")
        assert f'<html lang="{lang}">' in said[lang]
        assert words in said[lang]
    assert "0,002" in said["es"]
    assert "0.002" in said["en"]


def test_a_name_is_text_and_never_a_tag(tmp_path: Path) -> None:
    out = written(tmp_path, found=card(model="<script>alert(1)</script>", licence='"><img src=x>'))
    for name in ("report.html", "boletin.html"):
        assert not {"script", "img"} & set(read(out / name).seen)


def test_the_boletin_says_what_is_open_what_is_closed_and_why(tmp_path: Path) -> None:
    text = "".join(read(written(tmp_path) / "boletin.html").words)
    assert "Este modelo puede responder preguntas con un texto delante. Nada más" in text
    assert "acierta 92 de cada 100 (se piden 85)" in text
    assert "Contar cuentos: ninguna persona ha revisado todavía lo que escribe." in text
    assert "se parece a la respuesta esperada 50 de 100 (se pide 60)" in text
    assert "Dar pistas sin decir la respuesta: todavía nadie lo ha medido." in text
    assert "entre 86 y 97" in text  # how sure
    assert "87 de cada 100 veces en quechua ayacuchano" in text
    assert "unos 812 MB" in text
    assert "unos 3 segundos" in text
    assert "140 palabras por minuto" in text
    assert "llama3.1" in text
    assert "Built with Llama." in text
    assert "openstax (CC-BY-4.0)" in text


def test_a_model_that_may_do_nothing_is_called_so(tmp_path: Path) -> None:
    text = "".join(read(written(tmp_path, found=card(capabilities={})) / "boletin.html").words)
    assert "todavía no puede hablar con estudiantes" in text
    assert "Qué puede hacer" not in text


def test_a_little_is_not_called_nothing(tmp_path: Path) -> None:
    gate = {"conditions": [{"figure": "right", "value": 0.003, "least": 0.85}]}
    text = "".join(read(written(tmp_path, found=card(capabilities={"hint": gate})) / "boletin.html").words)
    assert "acierta 0,3 de cada 100" in text


def test_the_json_holds_everything(tmp_path: Path) -> None:
    found = json.loads((written(tmp_path) / "report.json").read_bytes())
    assert found["card"] == card()
    assert found["plan"]["predicted_kld"] == 0.0021
    assert found["others"][0]["file"] == "otro.gguf"
    assert found["expected"][0] == {"bytes": 3_000_000, "kld": 0.02}
    assert found["data"] == {"novels-es": "public domain", "openstax": "CC-BY-4.0"}


def test_the_same_report_is_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, two = written(tmp_path / "a"), written(tmp_path / "b")
    for path in one.iterdir():
        assert path.read_bytes() == (two / path.name).read_bytes()


def test_a_card_without_plan_tasks_or_speed_has_a_report_too(tmp_path: Path) -> None:
    (tmp_path / "card.json").write_text(json.dumps(card(measured={"chances": chances(0.01), "tasks": {}})))
    write_report(tmp_path / "card.json", tmp_path / "out")
    assert read(tmp_path / "out" / "report.html").seen.count("svg") == 2
    assert "Todavía no se le hicieron preguntas" in (tmp_path / "out" / "boletin.html").read_text(encoding="utf-8")


def test_the_curve_of_what_is_expected_needs_no_rival(tmp_path: Path) -> None:
    (tmp_path / "card.json").write_text(json.dumps(card()))
    write_report(
        tmp_path / "card.json", tmp_path / "out", expected=[Expected(3_000_000, 0.02), Expected(9_000_000, 3e-4)]
    )
    text = "".join(read(tmp_path / "out" / "report.html").words)
    assert text.count("(lo que se espera)") == 2
    assert "0,0003" in text


@pytest.mark.parametrize("content", ["{}", "[]", "{", '{"model": "x", "capabilities": {}}'])
def test_a_card_of_another_kind_is_refused_in_words(tmp_path: Path, content: str) -> None:
    (tmp_path / "card.json").write_text(content)
    with pytest.raises(RecipeError) as caught:
        write_report(tmp_path / "card.json", tmp_path / "out")
    assert "card.json" in caught.value.say("es")


points = st.builds(
    svg.Point, st.just("p"), st.floats(1, 100), st.floats(1e-6, 5), st.just(0.0), st.just(5.0), st.booleans()
)


@given(st.lists(points, min_size=1, max_size=12))
def test_no_file_beats_one_of_the_frontier(rows: list[svg.Point]) -> None:
    front = svg.frontier(rows)
    for point in front:
        assert not any(other.x <= point.x and other.y < point.y for other in rows)
    for point in rows:
        assert any(other.x <= point.x and other.y <= point.y for other in front)
    svg.scatter(rows, ("x", "y"), "says", str)


@given(st.floats(0.01, 1e4), st.floats(0.01, 1e4))
def test_ticks_are_few_round_and_inside(one: float, two: float) -> None:
    first, last = sorted((one, two))
    ticks = svg.nice_ticks(first, last)
    assert len(ticks) <= 6
    assert all(first * (1 - 1e-9) <= tick <= last * (1 + 1e-9) for tick in ticks)


def test_numbers_are_written_for_people() -> None:
    assert number(0.00123456, "es") == "0,00123"
    assert number(0.0000012, "es", 2) == "1,2·10⁻⁶"
    assert number(1234.5, "en") == "1234"
    assert number(0, "es") == "0"
    assert percent(0.9999, "es") == "100 %"
    assert percent(0.1, "pt") == "10 %"
    assert percent(0.125, "pt") == "12,5 %"
