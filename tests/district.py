"""A district with schools of every size, for tests of what its hub tells: real database, facts made up."""

from __future__ import annotations

import json
import random
from pathlib import Path

from edge.hub.database import open_database
from edge.hub.place import Place, create
from edge.sync.facts import Answer, Stream

NOW = "2026-11-26T12:00:00.000Z"
MARCH = 1772524800
"""2026-03-03, 8:00 UTC."""

DAY, MONTH = 86_400, 30 * 86_400
SCHOOLS = {"escuela-24": 12, "quebrada-honda": 3, "rural-7": 3, "san-martin": 9}
"""How many learners each has; `sin-noticias` never delivered."""

HEARD = {
    "escuela-24": "2026-11-20",
    "quebrada-honda": "2026-11-25",
    "rural-7": "2026-09-01",
    "san-martin": "2026-11-26",
}
ODD = '"><script>alert(1)</script>'
ITEM = "primaria/4-matematicas-fracciones"


def made(folder: Path, address: str = "") -> Place:
    """Make the hub of the district, and everything it received."""
    place = create(folder, "Distrito 7", None, address)
    chance = random.Random(7)
    with open_database(place) as database:
        for number, (code, learners) in enumerate(SCHOOLS.items()):
            stream = Stream(f"{number:016}", tuple(_answers(chance, number * 1000, learners)))
            with database.step([stream]):
                school = database.school(code)
                database.add(stream, database.stream(stream.device, school))
                versions = json.dumps(
                    {"amauta": f"0.{1 + number % 2}.0", "pack:primaria": "1", "model:=mini": "a" * 12}
                )
                database.execute(
                    "INSERT INTO devices (id, public, school, recipient, stream, heard, versions) VALUES (?, ?, ?, ?, ?, ?, ?)",
                    [
                        f"{number:x}" * 16,
                        bytes([number]) * 32,
                        school,
                        "age1",
                        stream.device,
                        f"{HEARD[code]}T09:00:00.000Z",
                        versions,
                    ],
                )
                database.execute(
                    "INSERT INTO bundles (digest, device, facts, at) VALUES (?, ?, ?, ?)",
                    [f"{number:x}" * 64, f"{number:x}" * 16, stream.count(), f"{HEARD[code]}T09:00:00.000Z"],
                )
        with database.step():
            database.school("sin-noticias")
            database.execute("UPDATE streams SET cloned = 1 WHERE name = ?", [f"{3:016}"])
            database.audit(
                NOW, "import", file="=cmd.age", outcome="refused", detail="token-unknown: A device hands over."
            )
            database.audit(NOW, "import", file="b.age", outcome="unfinished", detail="sealed-damaged: cut off")
            database.audit(NOW, "login", outcome="refused", detail="somebody")
    return place


def _answers(chance: random.Random, first: int, learners: int) -> list[Answer]:
    found = []
    for month in range(9):
        for who in range(1, learners + 1):
            for _ in range(4):
                at = MARCH + month * MONTH + chance.randrange(20) * DAY
                found.append(_exercise(len(found) + 1, first + who, chance, at))
            if month == 2:
                # The first answer to an item of a pack: half of them fall for the same number.
                given, right = ("5/7", 1) if who % 2 else ("5/14", 0)
                found.append(Answer(len(found) + 1, first + who, ITEM, f"{ITEM}/2", given, right, 0, 55, at))
    if learners == 9:
        # Five of one school come to a lesson with an odd name, which no pack knows.
        found += [Answer(len(found) + n, first + n, ODD, f"{ODD}/1", "", 1, 0, 30, MARCH) for n in range(1, 6)]
    found.append(Answer(len(found) + 1, first + 1, "=HYPERLINK(1)", "=HYPERLINK(1)/1", "", 1, 0, 12, 0))
    return found


def _exercise(seq: int, who: int, chance: random.Random, at: int) -> Answer:
    a, b = chance.randint(11, 89), chance.randint(11, 89)
    right = chance.random() < 0.6
    given = str(a + b if right else a + b + 10)
    lesson = f"exercise/add-{chance.choice((1, 2, 2))}"
    return Answer(seq, who, lesson, f"{lesson}/{a}+{b}", given, int(right), chance.choice((0, 0, 1)), 123, at)
