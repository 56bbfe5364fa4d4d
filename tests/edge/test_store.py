"""The store keeps facts, never changes them, and says in plain words when it cannot."""

from __future__ import annotations

import os
import sqlite3
import sys
import tempfile
import threading
from pathlib import Path
from random import Random

import pytest

from edge.errors import StoreError
from edge.learning.attempt import Attempt
from edge.learning.learner import Learner, clean_name, new_id
from edge.learning.store import Store
from edge.words import LANGUAGES


def answer(store: Store, learner: str = "ana", item: str = "p/l/1", right: bool = True) -> Attempt:
    return store.append_attempt(
        learner=learner,
        lesson=item.rpartition("/")[0],
        item=item,
        given="raíz",
        right=right,
        hints=0,
        seconds=2.5,
        at="2026-01-01T00:00:00.000Z",
    )


def test_what_was_kept_is_there_after_reopening(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "amauta.db"
    with Store.open(path) as store:
        store.add_learner("Ana", "es", "ana")
        kept = [answer(store), answer(store, right=False), answer(store, learner="luis")]
        turn = store.append_turn(learner="ana", question="¿Qué?", mode="bank", text="Eso.", lesson="p/l", at="2026")
        device = store.device
    with Store.open(path) as store:
        assert store.device == device
        assert store.learners() == [Learner("ana", "Ana", "es")]
        assert store.attempts() == kept
        assert store.attempts("ana") == kept[:2]
        assert store.turns("ana") == [turn]
        assert store.turns("luis") == []
        assert [attempt.seq for attempt in kept] == [1, 2, 3]
        assert {attempt.device for attempt in kept} == {device}
        assert answer(store).seq == 4


def test_two_devices_have_different_names(tmp_path: Path) -> None:
    with Store.open(tmp_path / "a.db") as one, Store.open(tmp_path / "b.db") as other:
        assert one.device != other.device
    with Store.open(tmp_path / "c.db", Random(7)) as store:
        assert store.device == new_id(Random(7))


def test_progress_has_a_row_for_each_lesson(tmp_path: Path) -> None:
    with Store.open(tmp_path / "a.db") as store:
        answer(store)
        answer(store, item="p/m/1", right=False)
        answer(store, learner="luis", item="p/n/1")
        assert [(row.lesson, row.attempts, row.right) for row in store.progress("ana")] == [
            ("p/m", 1, 0),
            ("p/l", 1, 1),
        ]


def test_turns_come_newest_first_and_as_many_as_asked(tmp_path: Path) -> None:
    with Store.open(tmp_path / "a.db") as store:
        for n in range(5):
            store.append_turn(learner="", question=f"q{n}", mode="none", text="", lesson="", at="2026")
        assert [turn.question for turn in store.turns("", limit=2)] == ["q4", "q3"]


def test_a_learner_may_get_another_name_and_lists_are_in_order(tmp_path: Path) -> None:
    with Store.open(tmp_path / "a.db") as store:
        store.add_learner("Zoe", "es", "z")
        store.add_learner("Luis", "pt", "l")
        store.add_learner("  álvaro \x07  Díaz", "es", "z")
        assert [learner.name for learner in store.learners()] == ["Luis", "álvaro Díaz"]


@pytest.mark.parametrize("name", ["", "  \t", "\x00\x1b", "x" * 61])
def test_a_name_must_be_a_name(name: str) -> None:
    with pytest.raises(StoreError):
        clean_name(name)


@pytest.mark.parametrize("table", ["attempts", "turns", "learners", "device"])
def test_the_file_itself_refuses_changes(tmp_path: Path, table: str) -> None:
    path = tmp_path / "a.db"
    with Store.open(path) as store:
        answer(store)
        store.add_learner("Ana", "es", "ana")
        store.append_turn(learner="", question="q", mode="none", text="", lesson="", at="2026")
    connection = sqlite3.connect(path)
    try:
        column = "id" if table == "device" else "device"
        for deed in (f"UPDATE {table} SET {column} = 'x'", f"DELETE FROM {table}"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(deed)
        if table != "device":
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(f"REPLACE INTO {table} SELECT * FROM {table}")
    finally:
        connection.close()


def test_many_threads_and_two_windows_may_write_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with Store.open(path) as one, Store.open(path) as other:

        def work(store: Store) -> None:
            for _ in range(15):
                answer(store)
                store.attempts("ana")

        threads = [threading.Thread(target=work, args=(store,)) for store in (one, one, other, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(attempt.seq for attempt in one.attempts()) == list(range(1, 61))


def test_two_windows_may_open_a_new_store_at_once(tmp_path: Path) -> None:
    devices: list[str] = []

    def work() -> None:
        with Store.open(tmp_path / "a.db") as store:
            devices.append(store.device)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(devices) == 4
    assert len(set(devices)) == 1


def test_every_commit_is_on_the_disk(tmp_path: Path) -> None:
    with Store.open(tmp_path / "a.db") as store:
        assert store._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert store._connection.execute("PRAGMA synchronous").fetchone() == (2,)


def test_half_characters_from_a_terminal_are_kept_as_question_marks(tmp_path: Path) -> None:
    with Store.open(tmp_path / "a.db") as store:
        turn = store.append_turn(learner="", question="q\udc80" * 50_000, mode="none", text="", lesson="", at="2026")
        assert store.turns("")[0] == turn
        assert turn.question == "q?" * 50_000


def refusal(path: Path) -> StoreError:
    with pytest.raises(StoreError) as caught:
        Store.open(path)
    for lang in LANGUAGES:
        sentence, hint = caught.value.say(lang).splitlines()
        assert str(path) in sentence
        assert hint
    return caught.value


def test_a_damaged_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(b"not a database, but somebody's letter " * 200)
    before = path.read_bytes()
    assert refusal(path).key == "store-broken"
    assert path.read_bytes() == before


def test_damage_found_later_is_said_as_well(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with Store.open(path) as store:
        for _ in range(200):
            answer(store)
    content = bytearray(path.read_bytes())
    content[8192:] = b"\xff" * (len(content) - 8192)
    path.write_bytes(content)
    with pytest.raises(StoreError) as caught, Store.open(path) as store:
        store.attempts()
    assert caught.value.key == "store-broken"


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE attempts (x)")
    connection.close()
    assert refusal(path).key == "store-broken"


def test_a_store_of_a_newer_amauta_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with Store.open(path) as store:
        store._connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name) VALUES ('amauta-store', '0099_more')"
        )
        store._connection.commit()
    assert refusal(path).key == "store-newer"


def test_a_folder_or_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.db").mkdir()
    (tmp_path / "file").write_text("x")
    assert refusal(tmp_path / "folder.db").key == "store-unwritable"
    assert refusal(tmp_path / "file" / "a.db").key == "store-unwritable"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork to become another user")
def test_a_write_protected_file_is_refused() -> None:
    # Not below pytest's own folder, which no other user may enter.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.db"
        Store.open(path).close()
        path.chmod(0o444)
        path.parent.chmod(0o555)
        try:
            assert as_nobody(lambda: refusal(path).key == "store-read-only")
        finally:
            path.parent.chmod(0o755)


def as_nobody(check: object) -> bool:
    """Run `check` in a child that is not root, whom nothing is forbidden."""
    child = os.fork()
    if child == 0:
        if os.geteuid() == 0:
            os.setuid(65534)
        try:
            os._exit(0 if check() else 1)  # type: ignore[operator]
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_opening_an_existing_store_needs_no_heavy_import(tmp_path: Path) -> None:
    Store.open(tmp_path / "a.db").close()
    code = (
        "import sys; from pathlib import Path; from edge.learning.store import Store\n"
        f"store = Store.open(Path({str(tmp_path / 'a.db')!r})); store.learners(); store.close()\n"
        "sys.exit('sqlite_utils' in sys.modules or 'numpy' in sys.modules)"
    )
    assert os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", code]) == 0


def test_writing_needs_no_numpy_which_would_crash_on_an_old_processor(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from edge.learning.store import Store\n"
        f"store = Store.open(Path({str(tmp_path / 'a.db')!r}))\n"
        "store.add_learner('Ana', 'es', 'ana'); store.close()\n"
        "assert 'sqlite_utils' in sys.modules and 'numpy' not in sys.modules\n"
        "import numpy; assert numpy.zeros(1).shape == (1,)"
    )
    assert os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", code]) == 0
