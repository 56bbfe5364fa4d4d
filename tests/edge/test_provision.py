"""At its first start from a stick a device becomes its school's, with an identity of its own."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from edge import site
from edge.identity import IdentityError, device_id, ensure_identity
from edge.learning.store import Store
from edge.library.library import folders_of
from edge.provision import ENROLMENT, RECEIPT, provision
from edge.release.installed import installed_models
from edge.release.manifest import embedded_release
from edge.settings import Settings, load
from edge.site import SiteError, SiteFacts
from edge.stick import stick_folder
from edge.sync.enrolment import Enrolment, as_bytes
from surviving import kills

ROOT = Path(__file__).parent.parent.parent
FACTS = SiteFacts(
    "Escuela 24 de Mayo", "EC", "pt", ("pt", "es"), (3, 4), "basico", ("primaria",), (), (), "roster.csv", ENROLMENT
)


def enrolment() -> bytes:
    """Return what a hub gives."""
    import pyrage

    hub = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    recipient = str(pyrage.x25519.Identity.generate().to_public())
    return as_bytes(Enrolment(device_id(hub), recipient, hub, "escuela-24", os.urandom(16), os.urandom(32)))


SECRET = enrolment()


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    folder = tmp_path / "AMAUTA"
    folder.mkdir()
    (folder / site.NAME).write_bytes(site.as_bytes(FACTS))
    (folder / "roster.csv").write_text("nombre;idioma\nÑusta Ríos;es\nJoão;pt\n", encoding="utf-8")
    (folder / ENROLMENT).write_bytes(SECRET)
    return folder


def at(settings: Settings, stick: Path) -> Settings:
    return replace(settings, lang="", shelves=(stick,))


def names(settings: Settings) -> list[str]:
    with Store.open(settings.store_path) as store:
        return sorted(learner.name for learner in store.learners())


def test_the_first_start_takes_language_pupils_identity_and_enrolment(settings: Settings, stick: Path) -> None:
    done = provision(at(settings, stick))
    assert (done.school, done.learners_added, done.enrolled, done.trouble) == (FACTS.school, 2, True, None)
    assert done.settings.lang == "pt"
    assert names(settings) == ["João", "Ñusta Ríos"]
    assert (settings.home / ENROLMENT).read_bytes() == SECRET
    assert load({"AMAUTA_HOME": str(settings.home)}).lang == "pt"


def test_secrets_leave_the_stick_and_their_bytes_are_overwritten_first(settings: Settings, stick: Path) -> None:
    (stick / "link").hardlink_to(stick / ENROLMENT)
    provision(at(settings, stick))
    assert not (stick / ENROLMENT).exists()
    left = (stick / "link").read_bytes()
    assert left == bytes(len(left))
    assert len(left) == len(SECRET)
    if os.name == "posix":
        assert stat.S_IMODE((settings.home / ENROLMENT).stat().st_mode) == 0o600


def test_the_second_start_does_nothing_and_keeps_what_a_teacher_chose(settings: Settings, stick: Path) -> None:
    first = provision(at(settings, stick))
    again = provision(replace(first.settings, lang="es"))
    assert (again.school, again.settings.lang) == ("", "es")
    assert len(names(settings)) == 2


def test_a_changed_stick_adds_only_who_is_new(settings: Settings, stick: Path) -> None:
    provision(at(settings, stick))
    (stick / "roster.csv").write_text("nombre\nJoão\nInti\n", encoding="utf-8")
    (stick / site.NAME).write_bytes(site.as_bytes(replace(FACTS, grades=(5,))))
    assert provision(at(settings, stick)).learners_added == 1
    assert names(settings) == ["Inti", "João", "Ñusta Ríos"]


def test_half_erased_secrets_are_never_taken_for_the_secrets(settings: Settings, stick: Path) -> None:
    provision(at(settings, stick))
    (stick / ENROLMENT).write_bytes(os.urandom(40))
    done = provision(at(settings, stick))
    assert done.trouble is None
    assert not (stick / ENROLMENT).exists()
    assert (settings.home / ENROLMENT).read_bytes() == SECRET


def damaged_json(stick: Path) -> None:
    (stick / site.NAME).write_bytes(b"{")


def a_line_too_long(stick: Path) -> None:
    (stick / "roster.csv").write_text("nombre\n" + "x" * 90 + "\n", encoding="utf-8")


def garbled_secrets(stick: Path) -> None:
    (stick / ENROLMENT).write_bytes(b"\x00\xff")


@pytest.mark.parametrize(
    ("spoil", "said"), [(damaged_json, "JSON"), (a_line_too_long, "roster.csv"), (garbled_secrets, "inscripción")]
)
def test_a_damaged_stick_is_named_and_mended_later(
    settings: Settings, stick: Path, tmp_path: Path, spoil: Callable[[Path], None], said: str
) -> None:
    whole = shutil.copytree(stick, tmp_path / "whole")
    spoil(stick)
    done = provision(at(settings, stick))
    assert done.trouble is not None
    assert said in done.trouble.say("es")
    assert not (settings.home / RECEIPT).exists()
    shutil.copytree(whole, stick, dirs_exist_ok=True)
    assert provision(at(settings, stick)).enrolled


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a fork")
def test_killed_at_any_instant_the_enrolment_is_never_lost_and_nobody_is_there_twice(tmp_path: Path) -> None:
    program = tmp_path / "kills.py"
    program.write_text(KILLS, encoding="utf-8")
    many = kills(30)
    command = [sys.executable, str(program), str(tmp_path / "work"), str(many)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, input=SECRET.decode())
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > many // 4


KILLS = """
import os, random, shutil, signal, sys, time
from pathlib import Path
sys.path.insert(0, os.getcwd())
from edge import site
from edge.learning.store import Store
from edge.provision import ENROLMENT, provision
from edge.settings import Settings
from edge.site import SiteFacts
import cryptography.hazmat.primitives.asymmetric.ed25519, pyrage, sqlite_utils

work, count, secret, chance, killed = Path(sys.argv[1]), int(sys.argv[2]), sys.stdin.buffer.read(), random.Random(5), 0
facts = SiteFacts("X", "", "es", ("es",), (), "minimo", (), (), (), "roster.csv", ENROLMENT)
for number in range(count):
    shutil.rmtree(work, ignore_errors=True)
    stick, settings = work / "AMAUTA", Settings(work / "home", shelves=(work / "AMAUTA",))
    stick.mkdir(parents=True)
    (stick / "site.json").write_bytes(site.as_bytes(facts))
    (stick / "roster.csv").write_text("nombre\\n" + "\\n".join(f"p{n}" for n in range(12)))
    (stick / ENROLMENT).write_bytes(secret)
    child = os.fork()
    if child == 0:
        provision(settings)
        os._exit(0)
    time.sleep(chance.uniform(0, 0.15))
    os.kill(child, signal.SIGKILL)
    killed += os.WIFSIGNALED(os.waitpid(child, 0)[1])
    held = [path.read_bytes() for path in (stick / ENROLMENT, settings.home / ENROLMENT) if path.is_file()]
    assert secret in held, "the enrolment is lost"
    done = provision(settings)
    assert done.trouble is None, done.trouble
    assert (settings.home / ENROLMENT).read_bytes() == secret
    assert not (stick / ENROLMENT).exists()
    with Store.open(settings.store_path) as store:
        assert sorted(learner.name for learner in store.learners()) == sorted(f"p{n}" for n in range(12))
print(killed)
"""


def test_without_a_stick_nothing_happens(settings: Settings) -> None:
    assert provision(settings).settings == settings
    assert not settings.home.exists()


def test_every_device_makes_its_own_identity_once(tmp_path: Path) -> None:
    one, other = ensure_identity(tmp_path / "one"), ensure_identity(tmp_path / "other")
    assert one.device != other.device
    assert ensure_identity(tmp_path / "one") == one
    one.key().public_key().verify(one.key().sign(b"hola"), b"hola")
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "one" / "identity.json").stat().st_mode) == 0o600
    assert one.private.hex() not in repr(one)


def test_two_starts_at_once_make_one_identity(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: ensure_identity(tmp_path), range(40)))
    assert len({identity.device for identity in found}) == 1


@pytest.mark.parametrize("spoil", [b"", b"[]", b'{"format": 1}'])
def test_a_damaged_identity_is_never_replaced_silently(tmp_path: Path, spoil: bytes) -> None:
    ensure_identity(tmp_path)
    (tmp_path / "identity.json").write_bytes(spoil)
    with pytest.raises(IdentityError):
        ensure_identity(tmp_path)
    assert (tmp_path / "identity.json").read_bytes() == spoil


def test_an_id_that_was_copied_onto_another_key_is_refused(tmp_path: Path) -> None:
    one, other = ensure_identity(tmp_path / "one"), ensure_identity(tmp_path / "other")
    path = tmp_path / "other" / "identity.json"
    path.write_text(path.read_text().replace(other.device, one.device))
    with pytest.raises(IdentityError):
        ensure_identity(tmp_path / "other")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(json.loads(site.as_bytes(FACTS)))), JSON)
def test_whatever_stands_in_site_json_gives_facts_or_one_clear_error(name: str, value: object) -> None:
    content = json.dumps({**json.loads(site.as_bytes(FACTS)), name: value}).encode()
    try:
        facts = site.parse(content)
    except SiteError as error:
        said = error.say("es")
        assert said.count("\n") == 1, said
        return
    assert site.parse(site.as_bytes(facts)) == facts


def test_facts_survive_the_stick() -> None:
    assert site.parse(site.as_bytes(FACTS)) == FACTS


def test_the_app_finds_its_stick_above_itself_and_uses_what_lies_there(settings: Settings, stick: Path) -> None:
    assert stick_folder({}, stick / "app" / "linux-x86_64" / "amauta") == stick
    assert stick_folder({}, stick / "amauta") is None
    shutil.copytree(ROOT / "edge" / "packs" / "primaria", stick / "packs" / "primaria")
    (stick / "models").mkdir()
    shutil.copy(ROOT / "edge" / "models" / "mini" / "mini.gguf", stick / "models" / "other.gguf")
    found = load({"AMAUTA_HOME": str(settings.home), "AMAUTA_STICK": str(stick)})
    assert stick / "packs" / "primaria" in folders_of(found)
    assert "other" in [model.id for model in installed_models(found, embedded_release())]


def test_the_tutor_says_whose_it_became_and_goes_on(home: Path, stick: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from tui.cli import main; sys.exit(main(['--plain']))"],
        input="", capture_output=True, text=True, check=False, cwd=ROOT,
        env={**os.environ, "AMAUTA_HOME": str(home), "AMAUTA_STICK": str(stick)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert f"“{FACTS.school}”" in done.stderr
    assert (home / RECEIPT).is_file()
