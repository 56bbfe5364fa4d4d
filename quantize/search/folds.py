"""Groups to fit on: each question is asked of a library that knows neither it nor its fold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from edge.library.judge import Judge
from edge.library.library import Library
from edge.library.meaning import Meaning
from edge.library.outlook import Outlook
from edge.library.pack import Pack
from edge.tutor.reader import Reader
from quantize.search.candidates import bank_groups, library_of, passage_groups, read_groups, without
from quantize.search.fit import Group, fold_of
from quantize.search.settings import PupilQuestion, SearchTable, read_questions

Groups = Callable[[Library, Sequence[PupilQuestion], Sequence[Pack]], Iterable[Group]]


def fold_folder(aligned: Path, fold: int) -> Path:
    """Return where the vectors lie that know nothing of a fold's questions."""
    return aligned / f"fold-{fold}"


def questions_for(packs: Sequence[Pack], most: int) -> list[PupilQuestion]:
    """Return the pupils' questions in the languages of these packs, `most` of them drawn evenly."""
    langs = {pack.lang for pack in packs}
    found = [question for question in read_questions() if question.lang in langs]
    return found[:: max(1, -(-len(found) // most))]


def packs_for(packs: Sequence[Pack], questions: Sequence[PupilQuestion], fold: int, folds: int) -> list[Pack]:
    """Return the packs as they are without the questions of one fold."""
    return without(packs, frozenset(q.text for q in questions if fold_of(q.text, folds) == fold))


class Folds:
    """The questions, and one library for each fold of them, with vectors that never met the fold either."""

    def __init__(self, packs: Sequence[Pack], aligned: Path, table: SearchTable) -> None:
        self._packs = packs
        self.questions = questions_for(packs, table.questions)
        self._aligned = aligned
        self._folds = table.folds

    def bank(self) -> list[Group]:
        """Return the bank entries proposed for each question."""
        return self._groups(bank_groups)

    def passages(self) -> list[Group]:
        """Return the passages proposed for each question."""
        return self._groups(passage_groups)

    def readings(self, passage: Judge) -> list[Group]:
        """Return the sentences that the reader proposes from the passages that `passage` likes best."""
        reader = Reader.open()

        def groups(library: Library, asked: Sequence[PupilQuestion], packs: Sequence[Pack]) -> Iterator[Group]:
            return read_groups(library, reader, asked, packs)

        return self._groups(groups, passage=passage)

    def outlooks(self) -> list[Outlook | None]:
        """Return how each question stands among the known ones of the other folds."""
        found: dict[str, Outlook | None] = {}
        for library, asked in self._libraries():
            found |= {q.text: library.outlook(library.understand(q.text, q.lang)) for q in asked}
        return [found[question.text] for question in self.questions]

    def _groups(self, groups: Groups, **judges: Judge) -> list[Group]:
        """Ask every fold's questions of its own library; the groups come back in the questions' order."""
        found: dict[str, Group] = {}
        for library, asked in self._libraries(**judges):
            found |= {group.text: group for group in groups(library, asked, self._packs)}
        return [found[question.text] for question in self.questions]

    def _libraries(self, **judges: Judge) -> Iterator[tuple[Library, list[PupilQuestion]]]:
        """Yield each fold's questions with a library that never met them."""
        for fold in range(self._folds):
            asked = [q for q in self.questions if fold_of(q.text, self._folds) == fold]
            packs = packs_for(self._packs, self.questions, fold, self._folds)
            library = library_of(packs, Meaning(fold_folder(self._aligned, fold)), **judges)
            yield library, asked
            library.close()
