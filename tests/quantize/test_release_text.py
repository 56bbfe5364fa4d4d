"""The texts of a release: seeded, with licences, and nothing that measures was learned from."""

from __future__ import annotations

import io
import json
import lzma
import shutil
import tarfile
from collections.abc import Mapping
from pathlib import Path
from random import Random

import pytest

from quantize.recipe import ROOT, RecipeError
from quantize.text.corpus import build, check, choose, read_part, shares_of
from quantize.text.pieces import Piece, cut, mark_of
from quantize.text.settings import TextSettings
from quantize.text.sources import archives, read_indigenous
from tests.quantize import tiny_models

SMALL = TextSettings(
    mix=("es 0.6", "pt 0.4"), calibration_chars=6000, distil_chars=3000, held_chars=2500, piece_chars=500
)


@pytest.fixture(scope="module")
def packs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A few lessons of each embedded pack."""
    return tiny_models.packs(tmp_path_factory.mktemp("packs"))


@pytest.fixture(scope="module")
def corpus(packs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The corpus of a model without a chat template."""
    folder = tmp_path_factory.mktemp("corpus")
    build(SMALL, packs, None, folder / "no-model", 1, folder / "out")
    return folder / "out"


def test_the_packs_alone_are_enough(corpus: Path) -> None:
    mix = json.loads((corpus / "mix.json").read_bytes())
    for part, wanted in (("calibration", 6000), ("distil", 3000), ("held", 2500)):
        rows = list(read_part(corpus, part))
        assert set(rows[0]) == {"lang", "kind", "text", "source", "licence"}
        assert {row["lang"] for row in rows} == {"es", "pt"}
        assert {row["licence"] for row in rows} == {"CC-BY-SA-4.0"}
        assert 0.7 * wanted < sum(len(row["text"]) for row in rows) < 1.3 * wanted
        assert mix["parts"][part]["pieces"] == len(rows)
        assert mix["parts"][part]["licences"] == {"lessons": "CC-BY-SA-4.0"}


def test_nothing_that_measures_was_learned_from(corpus: Path) -> None:
    held = {mark_of(row["text"]) for row in read_part(corpus, "held")}
    learned = {mark_of(row["text"]) for part in ("calibration", "distil") for row in read_part(corpus, part)}
    assert held
    assert not held & learned
    assert json.loads((corpus / "mix.json").read_bytes())["held_sha256"] == sorted(held)


def test_a_held_text_among_the_others_is_found_whatever_its_case_and_spaces(corpus: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(corpus, tmp_path / "copy"))
    check(folder)
    stolen = next(iter(read_part(folder, "held")))
    stolen["text"] = "  ".join(stolen["text"].upper().split(" "))
    with (folder / "distil.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(stolen) + "\n")
    with pytest.raises(RecipeError, match=r"distil\.jsonl, line"):
        check(folder)


def test_a_held_text_that_was_exchanged_is_found(corpus: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(corpus, tmp_path / "copy"))
    lines = (folder / "held.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (folder / "held.jsonl").write_text("".join(lines[1:]), encoding="utf-8")
    with pytest.raises(RecipeError, match=r"mix\.json"):
        check(folder)


def test_the_same_seed_makes_the_same_bytes_and_another_one_others(
    packs: list[Path], corpus: Path, tmp_path: Path
) -> None:
    build(SMALL, packs, None, tmp_path / "no-model", 1, tmp_path / "same")
    build(SMALL, packs, None, tmp_path / "no-model", 2, tmp_path / "other")
    for part in ("calibration", "held"):
        assert (tmp_path / "same" / f"{part}.jsonl").read_bytes() == (corpus / f"{part}.jsonl").read_bytes()
    assert (tmp_path / "other" / "calibration.jsonl").read_bytes() != (corpus / "calibration.jsonl").read_bytes()


def test_a_piece_that_shares_a_long_sentence_with_a_held_one_is_left_out(packs: list[Path], tmp_path: Path) -> None:
    lessons = tmp_path / "pack" / "lessons"
    shutil.copytree(packs[0], tmp_path / "pack")
    first, *others = sorted(lessons.glob("*.md"))
    held = others[5]  # the middle one of twelve is held out
    body = held.read_text(encoding="utf-8").split("\n+++\n", 1)[1]
    said = (part for line in body.splitlines() for part in line.split(". ") if line[:1].isalpha())
    sentence = next(part for part in said if len(part) > 70)
    head, _, rest = first.read_text(encoding="utf-8").partition("\n+++\n")
    first.write_text(f"{head}\n+++\n\n{sentence}.\n{rest}", encoding="utf-8")
    build(SMALL, [tmp_path / "pack"], None, tmp_path / "no-model", 1, tmp_path / "out")
    learned = " ".join(row["text"] for part in ("calibration", "distil") for row in read_part(tmp_path / "out", part))
    assert json.loads((tmp_path / "out" / "mix.json").read_bytes())["left_out"] >= 1
    assert sentence not in learned


def test_no_text_at_all_is_said_in_words(packs: list[Path], tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="quy 1"):
        build(TextSettings(mix=("quy 1",)), packs, None, tmp_path, 1, tmp_path / "out")


@pytest.mark.parametrize("line", ["es", "es much", "es -1", " 0.5"])
def test_a_share_that_is_none_is_named(line: str) -> None:
    with pytest.raises(RecipeError) as caught:
        shares_of([line])
    assert f"“{line}”" in caught.value.say("en")


def piece(lang: str, kind: str, number: int) -> Piece:
    return Piece(lang, "chat" if kind == "chat" else "text", f"{lang} {kind} {number:04} " * 20, "s", "l", False)


def shared(chosen: list[Piece], **asked: str) -> float:
    size = sum(len(p.text) for p in chosen)
    return sum(len(p.text) for p in chosen if all(getattr(p, name) == value for name, value in asked.items())) / size


def test_languages_and_exchanges_get_their_shares_and_what_one_lacks_the_others_get() -> None:
    pieces = [piece(lang, kind, number) for lang in ("es", "pt") for kind in ("text", "chat") for number in range(300)]
    shares: Mapping[str, float] = {"es": 0.45, "pt": 0.15, "quy": 0.4}
    chosen = choose(pieces, shares, 60_000, 0.3, Random(1))
    assert shared(chosen, lang="es") == pytest.approx(0.75, abs=0.02)
    assert shared(chosen, kind="chat") == pytest.approx(0.3, abs=0.02)
    assert len({p.text for p in chosen}) == len(chosen)


def test_a_text_is_cut_at_lines_and_a_long_line_at_sentences() -> None:
    text = "Una línea.\nOtra.\n" + "Esta frase tiene unas cuantas palabras. " * 20
    parts = list(cut(text, 120))
    assert parts[0] == "Una línea.\nOtra."
    assert all(len(part) <= 120 for part in parts)
    assert all(part.endswith(".") for part in parts)
    assert "".join(parts).replace("\n", "").replace(" ", "") == text.replace("\n", "").replace(" ", "")


def indigenous(path: Path) -> Path:
    """An archive like the one in the corpora folder, with a few lines."""
    files = {
        f"./flores200/flores200{part}.{lang}": 20
        for part in ("dev", "devtest")
        for lang in ("quy", "ayr", "grn", "spa")
    }
    files["./jojajovai/jojajovai.gn"] = 400
    with tarfile.open(path.with_suffix(""), "w") as archive:
        for name, count in files.items():
            content = "".join(f"{name.rsplit('/', 1)[-1]} línea {number}\n" for number in range(count)).encode()
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    path.write_bytes(lzma.compress(path.with_suffix("").read_bytes()))
    return path


def test_flores_devtest_is_only_for_measuring(tmp_path: Path) -> None:
    documents = list(read_indigenous(indigenous(tmp_path / "i.tar.xz")))
    assert {document.lang for document in documents} == {"quy", "ayr", "grn", "es"}
    for document in documents:
        if document.source == "flores":
            assert document.held == ("devtest" in document.text)
    guarani = [document for document in documents if document.source == "jojajovai"]
    assert 0 < sum(document.held for document in guarani) < len(guarani) / 10


@pytest.mark.slow
def test_the_archives_give_every_language_and_their_licences(packs: list[Path], tmp_path: Path) -> None:
    corpora = ROOT.parent / "shared" / "corpora"
    if not corpora.is_dir():
        pytest.skip("needs the corpora folder")
    assert all("eval" not in path.parts for path in archives(corpora))
    settings = TextSettings(calibration_chars=60_000, distil_chars=60_000, held_chars=40_000, source_chars=200_000)
    build(settings, packs, corpora, tmp_path / "no-model", 1, tmp_path / "out")
    mix = json.loads((tmp_path / "out" / "mix.json").read_bytes())
    for part in ("calibration", "held"):
        assert set(mix["parts"][part]["languages"]) == {"es", "pt", "quy", "grn", "ayr"}
        assert mix["parts"][part]["licences"]["flores"] == "CC-BY-SA-4.0"
    assert mix["parts"]["distil"]["licences"]["jojajovai"] == "MIT"
