"""The checker of decision tables agrees with trying every combination of answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import islice, product
from pathlib import Path

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from edge.triage.check import check
from edge.triage.condition import UNKNOWN, Answer
from edge.triage.errors import TriageError
from edge.triage.parts import URGENCIES, Input
from edge.triage.proof import NOTHING, prove
from edge.triage.run import decide, open_questions, row_for
from edge.triage.shelf import EMBEDDED
from edge.triage.table import read, read_table
from small_tables import ANSWERS, Case, Small, read_text, small_tables

TABLES = sorted(EMBEDDED.glob("*.toml"))
ABOUT_ROWS = {"row-never", "rows-overlap", "rows-gap", "danger-lowers"}


def about_rows(small: Small) -> set[str]:
    return {one.key for one in check(small.read())} & ABOUT_ROWS


def wrong_by_brute_force(small: Small) -> set[str]:
    met = [small.met(case) for case in small.cases()]
    found = set()
    if any(not rows for rows in met):
        found.add("rows-gap")
    if any(len(rows) > 1 for rows in met):
        found.add("rows-overlap")
    if {name for name, _, _ in small.rows} - {row for rows in met for row in rows}:
        found.add("row-never")
    if not found and any(lowered(small, case) for case in small.cases()):
        found.add("danger-lowers")
    return found


def lowered(small: Small, case: Case) -> bool:
    """Whether some graver answer than the one of this case is less urgent; unknown lies between the ends."""
    for name, danger in small.dangers.items():
        for answer in ANSWERS[name] if danger else ():
            if graver(name, danger, case[name], answer) and small.rank({**case, name: answer}) > small.rank(case):
                return True
    return False


def graver(name: str, danger: str, than: Answer, answer: Answer) -> bool:
    order = [one for one in ANSWERS[name] if one != UNKNOWN]
    if danger in ("yes", "low"):
        order.reverse()
    if than == UNKNOWN:
        return answer == order[-1]
    if answer == UNKNOWN:
        return than == order[0]
    return order.index(answer) > order.index(than)


@settings(max_examples=120, deadline=None)
@given(small_tables())
def test_gaps_overlaps_dead_rows_and_lowered_danger_are_found_exactly_where_they_are(small: Small) -> None:
    found = about_rows(small)
    event(", ".join(sorted(found)) or "fine")
    assert found == wrong_by_brute_force(small)


@settings(max_examples=50, deadline=None)
@given(small_tables())
def test_the_example_of_a_gap_or_an_overlap_is_one(small: Small) -> None:
    proof = prove(small.read())
    examples = [("gap", proof.diagram.example(proof.gap()))] if proof.gap() != NOTHING else []
    examples += [(second.id, proof.diagram.example(where)) for _, second, where in proof.overlaps()]
    for what, cells in examples:
        cases = [case for case in small.cases() if all(cell.holds(case[name]) for name, cell in cells.items())]
        assert cases
        assert all(not small.met(case) if what == "gap" else what in small.met(case)[1:] for case in cases)


@settings(max_examples=40, deadline=None)
@given(small_tables(closed=True), st.data())
def test_every_combination_is_decided_and_what_it_says_about_it_is_true(small: Small, data: st.DataObject) -> None:
    table = small.read()
    if any(one.key == "rows-overlap" for one in check(table)):
        return
    cases = list(small.cases())
    rows = {tuple(case.values()): small.met(case)[0] for case in cases}
    for case in data.draw(st.lists(st.sampled_from(cases), min_size=1, max_size=12)):
        decision = decide(table, case)
        assert decision.row == rows[tuple(case.values())] == row_for(table, case).id
        alike = [other for other in cases if all(other[name] == answer for name, answer in decision.because)]
        assert {rows[tuple(other.values())] for other in alike} == {decision.row}
        for name, _ in decision.because:
            fewer = [o for o in cases if all(o[other] == answer for other, answer in decision.because if other != name)]
            assert len({rows[tuple(other.values())] for other in fewer}) > 1
        again = [
            name for name in case if case[name] == UNKNOWN
            and any(small.rank({**case, name: a}) < small.rank(case) for a in ANSWERS[name])
        ]  # fmt: skip
        assert sorted(decision.look_again) == sorted(again)


@settings(max_examples=40, deadline=None)
@given(small_tables(closed=True), st.data())
def test_a_question_is_open_exactly_when_its_answer_can_still_change_the_row(small: Small, data: st.DataObject) -> None:
    table = small.read()
    given_ = dict(list(data.draw(st.sampled_from(list(small.cases()))).items())[: data.draw(st.integers(0, 2))])
    left = [case for case in small.cases() if given_.items() <= case.items()]
    still = {
        name for name in small.dangers if name not in given_
        and (name == "m" or any(small.met({**case, name: a}) != small.met(case) for case in left for a in ANSWERS[name]))
    }  # fmt: skip
    assert {one.id for one in open_questions(table, given_)} == still
    if still:
        with pytest.raises(TriageError, match="Not answered yet"):
            decide(table, given_)
    else:
        assert decide(table, given_).row == small.met(left[0])[0]


def representatives(one: Input, cells: dict[str, tuple[Answer, ...]]) -> tuple[Answer, ...]:
    if one.id in cells:
        return cells[one.id]
    return (one.least,) if one.kind in ("number", "age") else one.values()[:1]


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_a_table_that_ships_is_sound_and_its_conditions_alone_say_the_same(path: Path) -> None:
    table = read_table(path)
    assert [one.say("en") for one in check(table)] == []
    proof = prove(table)
    cells = {
        one.id: tuple(cell.last for cell in cells)
        for one, cells in zip(proof.diagram.inputs, proof.diagram.cells, strict=True)
    }
    every = product(*(representatives(one, cells) for one in table.inputs))
    most = 2000
    for answers in islice(every, 0, None, max(1, proof.diagram.combinations // most)):
        case = dict(zip((one.id for one in table.inputs), answers, strict=True))
        fixed = {level: proof.diagram.cell_of(level, case[one.id]) for level, one in enumerate(proof.diagram.inputs)}
        assert {row_for(table, case).id} == {
            table.rows[number - 1].id for number in proof.diagram.values(proof.taken, fixed)
        }


def broken(text: str, *changes: tuple[str, str]) -> Iterator[str]:
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    table, complaints = read_text(text.replace('id = "cough"', 'id = "small"'))
    assert table is not None
    assert not complaints
    yield from (one.say("en").split(": ", 1)[1] for one in check(table))


PATH = Path(__file__).parent.parent / "data" / "clinic" / "cough.toml"
COUGH = PATH.read_text(encoding="utf-8")


def test_a_gap_is_named_with_answers_that_fall_into_it() -> None:
    (said,) = broken(COUGH, ('"not chest_indrawing and not fast"', '"not chest_indrawing and breaths < 40"'))
    assert said.startswith("no row is met, for example with: ")
    assert "breaths = 40-49" in said
    assert "chest_indrawing = no" in said


def test_an_overlap_is_named_with_both_rows() -> None:
    (said,) = broken(COUGH, ('"not chest_indrawing and not fast"', '"not chest_indrawing"'), ('"home"', '"soon"'))
    assert said.startswith('the rows "pneumonia" and "cold" are both met, for example with: ')


def test_a_danger_sign_that_lowers_urgency_is_named_with_both_rows() -> None:
    (said, *_) = broken(
        COUGH,
        ('"chest_indrawing or fast"', '"(chest_indrawing or fast) and not stridor unknown"'),
        ('"not chest_indrawing and not fast"', '"stridor unknown or (not chest_indrawing and not fast)"'),
    )
    assert said.startswith(
        '"stridor": going from no to unknown lowers urgency, from row pneumonia (soon) to row cold (home)'
    )


def test_rows_out_of_order_unused_parts_and_odd_bands_are_named() -> None:
    said = "\n".join(
        broken(COUGH, ('urgency = "soon"', 'urgency = "emergency"'), ("weight = [10, 14]", "weight = [11, 14.05]"),
               ("age = [12, 36]", "age = [10, 36]"), ('outcome = "cold"', 'outcome = "pneumonia"'))
    )  # fmt: skip
    assert 'no row leads to the outcome "cold"' in said
    assert 'dose "amoxicillin", weight: there is no band between 10 and 11' in said
    assert 'dose "amoxicillin", weight: 14.05 cannot be measured in steps of 0.1' in said
    assert 'dose "amoxicillin", age: one band goes to 12 and the next begins at 10' in said
    said = "\n".join(broken(COUGH, ('urgency = "emergency"', 'urgency = "home"')))
    assert 'the row "pneumonia" (soon) stands after a less urgent one (home)' in said
    assert [one.key for one in check(replace(read_table(PATH), id="tos"))] == ["id-file"]
    said = "\n".join(broken(COUGH, ('doses = ["amoxicillin"]', "")))
    assert said == 'no outcome uses the dose "amoxicillin"'


def test_hundreds_of_millions_of_combinations_are_proved_and_not_sampled() -> None:
    names = [f"sign{n}" for n in range(22)]
    text = COUGH.split("[inputs.age]")[0]
    for name in names:
        text += f'[inputs.{name}]\nkind = "sign"\ndanger = true\nask.es = "a"\nask.pt = "a"\nask.en = "a"\n'
    row = 'outcome = "o"\nsource.guideline = "imci"\nsource.chart = "c"\n'
    text += f'[rows.a]\nurgency = "emergency"\nwhen = "at least 11 of ({", ".join(names)})"\n{row}'
    text += f'[rows.b]\nurgency = "home"\nwhen = "not at least 12 of ({", ".join(names)})"\n{row}'
    text += (
        '[outcomes.o]\ntitle.es = "a"\ntitle.pt = "a"\ntitle.en = "a"\ndo.es = ["a"]\ndo.pt = ["a"]\ndo.en = ["a"]\n'
    )
    assert list(broken(text)) == []
    assert prove(read_text(text)[0]).diagram.combinations == 3**22  # type: ignore[arg-type]
    (gap,) = broken(text, ("not at least 12 of", "not at least 10 of"))
    assert gap.count("= yes") == 10


def test_a_proof_that_would_not_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for number, most in enumerate((5, len(prove(read_table(PATH)).diagram.nodes))):
        monkeypatch.setattr("edge.triage.diagram.MOST_NODES", most)
        table, _ = read_text(COUGH.replace("2026-11-26.1", f"2026-11-26.{90 + number}"))
        assert table is not None
        with pytest.raises(TriageError, match="too complicated to be proved whole"):
            check(table)


def test_cells_are_cut_at_every_threshold_and_hold_every_number() -> None:
    table, _ = read_text(COUGH)
    assert table is not None
    diagram = prove(table).diagram
    age, breaths = diagram.levels["age"], diagram.levels["breaths"]
    assert list(map(str, diagram.cells[age])) == ["2-11", "12-59"]
    assert list(map(str, diagram.cells[breaths])) == ["10-39", "40-49", "50-120", "unknown"]
    assert [diagram.cell_of(breaths, Decimal(n)) for n in (10, 39, 40, 49, 50, 120)] == [0, 0, 1, 1, 2, 2]


def test_a_file_that_is_not_there_or_not_text_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(TriageError, match="I cannot read the table"):
        read(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b'format = 1\nid = "a\xf1o"\n')
    _, (complaint,) = read(tmp_path / "latin.toml")
    assert (complaint.line, complaint.key) == (2, "not-utf8")
    assert len(URGENCIES) == 4
