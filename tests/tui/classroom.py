"""A classroom's laptop for the tests of handing over: learners, a hub, and sticks (folders) that come and go."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.drives import Drive, looked_at
from edge.identity import device_id, renew_identity
from edge.settings import Settings
from edge.sync.enrolment import Enrolment, as_bytes
from fakes import NOON, FakeServices
from handing import Device, Hub
from tui.app import AmautaApp
from tui.handing import Handing

SIZE = (80, 24)
RECIPIENT = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"


class Classroom:
    """Rosa and Beto learn here; what they practised waits to be handed over."""

    def __init__(
        self, folder: Path, *, lang: str = "es", enrolled: bool = True, now: datetime = NOON, seed: int = 1
    ) -> None:
        self.folder = folder
        self.device = Device(folder / "home")
        self.sticks = folder / "sticks"
        self.sticks.mkdir(parents=True)
        self.services = FakeServices(Settings(folder / "home", lang=lang), seed=seed)
        store = self.services.store()
        store.add_learner("Beto", lang, "beto")
        self.services.choose_learner(store.add_learner("Rosa", lang, "rosa"))
        self.device.practise(9, ("rosa",))
        self.device.practise(3, ("beto",))
        self._hub: Hub | None = None
        if enrolled:
            self.device.enrol(self.hub.enrolment("escuela-24"))
        self.services.handing = Handing(lambda: self.services.settings, self.here, lambda: now)
        self.app = AmautaApp(self.services, colours="full")

    @property
    def hub(self) -> Hub:
        """The district's laptop."""
        if self._hub is None:
            self._hub = Hub.made(self.folder / "hub")
        return self._hub

    @classmethod
    def fixed(cls, folder: Path, *, lang: str = "es", enrolled: bool = True) -> Classroom:
        """Return a classroom in which every name is the same each time, for pictures."""
        room = cls(folder, lang=lang, enrolled=False)
        renew_identity(room.device.home, bytes(range(32)))
        key = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))).public_key().public_bytes_raw()
        given = Enrolment(device_id(key), RECIPIENT, key, "escuela-24", bytes(16), bytes(32))
        if enrolled:
            room.device.enrol(as_bytes(given))
        return room

    def here(self) -> list[Drive]:
        """Return the sticks that are plugged in."""
        return [drive for path in sorted(self.sticks.iterdir()) if (drive := looked_at(path))]

    def put_in(self, name: str = "MOCHILA") -> Path:
        """Plug a stick in."""
        (self.sticks / name).mkdir(exist_ok=True)
        return self.sticks / name

    def bring_enrolment(self, name: str = "CENTRO") -> Path:
        """Plug a stick in on which the hub put what enrols."""
        stick = self.put_in(name)
        (stick / "AMAUTA").mkdir()
        (stick / "AMAUTA" / "enrolment.json").write_bytes(self.hub.enrolment("escuela-24"))
        return stick

    def visit_hub(self, stick: Path) -> list[str]:
        """Carry a stick to the hub and back; return what the hub said of each file."""
        outcomes = [outcome.state for outcome in self.hub.receive(stick)]
        self.hub.acknowledge(stick)
        return outcomes
