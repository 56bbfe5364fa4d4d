"""Decide what a site's sticks carry, and why. Pure: a site and a stock come in, a decision comes out."""

from __future__ import annotations

from dataclasses import dataclass, field

from devkit.depot.store import Entry
from devkit.site import choose, clinic
from devkit.site.choose import Model
from devkit.site.devices import Computers, weakest
from devkit.site.fields import Section
from devkit.site.file import Site
from devkit.site.stock import Stock, StockPack
from devkit.site.tiers import Tier, assumed_ram_mb, tier_for, tiers
from edge.release.manifest import Release
from edge.release.part import megabytes
from edge.triage.vaccines import EMBEDDED as VACCINES
from edge.tutor.numbers import shipped
from edge.words import Value

USUAL_PLATFORMS = ("linux-x86_64", "windows-x86_64")
"""For computers whose system nobody told."""

Reason = tuple[str, dict[str, Value]]
"""A sentence under `plan.why` in the strings, and its values."""


@dataclass(frozen=True, slots=True)
class Need:
    """Something the sticks should carry that the depot does not have."""

    kind: str
    name: str
    required: bool = True
    """Whether the sticks cannot be made without it."""


@dataclass(slots=True)
class Decision:
    """What goes on every stick of a site."""

    tier: Tier
    entries: list[Entry] = field(default_factory=list)
    packs: list[str] = field(default_factory=list)
    """All packs the devices will have, also those inside the app."""

    models: list[str] = field(default_factory=list)
    voices: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    """A health post's own decision tables, by name; so with overlays."""

    overlays: list[str] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)
    needs: list[Need] = field(default_factory=list)

    def say(self, key: str, **values: Value) -> None:
        """Give a reason."""
        self.reasons.append((key, values))

    def take(self, stock: Stock, kind: str, name: str) -> None:
        """Take something from the depot, or note that it is missing."""
        entry = stock.find(kind, name)
        if entry is None:
            self.needs.append(Need(kind, name))
        else:
            self.entries.append(entry)


def decide(site: Site, stock: Stock, release: Release, section: Section, version: str) -> Decision:
    """Choose everything for a site; what the site file asks for in vain becomes a problem of its line."""
    weak = weakest(site.computers, assumed_ram_mb()) if site.computers else Computers("", 1)
    ram_mb = assumed_ram_mb() if weak.ram_mb is None else weak.ram_mb
    decision = Decision(_tier(site, weak, ram_mb, section))
    if site.sticks.kind == "image":
        _image(decision, stock, version)
        return decision
    key = "weakest-assumed" if weak.ram_mb is None else "weakest"
    decision.say(key, name=weak.name or "-", ram=ram_mb, tier=decision.tier.name)
    _apps(decision, site, stock, version)
    _packs(decision, site, stock, section)
    if site.place == "clinic":
        _clinic(decision, site, stock)
    _model(decision, site, weak, ram_mb, stock, section)
    _voices(decision, site, weak, ram_mb, stock, release, section)
    _release(decision, site, stock)
    return decision


def _tier(site: Site, weak: Computers, ram_mb: int, section: Section) -> Tier:
    if site.tier == "auto":
        return tier_for(ram_mb)
    chosen = next(tier for tier in tiers() if tier.name == site.tier)
    if weak.ram_mb is not None and chosen.least_ram_mb > ram_mb:
        section.complain("tier", "tier-high", least=chosen.least_ram_mb, name_of=weak.name or "-", ram=ram_mb)
    return chosen


def _image(decision: Decision, stock: Stock, version: str) -> None:
    image = stock.newest("image")
    if image is None:
        decision.needs.append(Need("image", f"amauta-{version}-live-amd64"))
        return
    decision.entries.append(image)
    decision.say("image", name=image.id)


def _apps(decision: Decision, site: Site, stock: Stock, version: str) -> None:
    """Take the app for every system of the site; both usual ones where nobody told the system."""
    known = {computers.platform for computers in site.computers}
    wanted = sorted(known - {""}) + [p for p in USUAL_PLATFORMS if "" in known and p not in known]
    found = {platform: stock.newest("app", platform) for platform in wanted}
    any_here = any(found.values())
    for platform, entry in found.items():
        if entry is not None:
            decision.entries.append(entry)
            decision.say("app", name=entry.id)
        else:
            decision.needs.append(Need("app", f"amauta-{version}-{platform}", platform in known or not any_here))


def _packs(decision: Decision, site: Site, stock: Stock, section: Section) -> None:
    by_name = {pack.id: pack for pack in stock.packs}
    names = site.packs
    if names is None:
        names = tuple(pack.id for pack in stock.packs if pack.lang in site.languages and _suits(pack, site))
        if not names and site.languages:
            section.complain("languages", "no-packs", choices=", ".join(sorted({p.lang for p in stock.packs})))
    for name in names:
        pack = by_name.get(name)
        if pack is None:
            decision.needs.append(Need("pack", name))
            continue
        if pack.clinic and site.place != "clinic":
            section.complain("packs", "pack-clinic", pack=name)
        decision.packs.append(name)
        if pack.entry is not None:
            decision.entries.append(pack.entry)
        decision.say("pack-app" if pack.entry is None else "pack", name=name, version=pack.version)


def _suits(pack: StockPack, site: Site) -> bool:
    """Tell whether a pack goes along unasked: guidelines and what is for patients only to a clinic."""
    return site.place == "clinic" or not (pack.clinic or pack.strict)


def _clinic(decision: Decision, site: Site, stock: Stock) -> None:
    """Say what a clinic will have and what it will lack."""
    decision.say("clinic")
    decision.tables = [table.id for table in site.clinic.tables]
    decision.overlays = [overlay.shown.id for overlay in site.clinic.overlays]
    decision.reasons += clinic.told(site.clinic)
    strict = [pack.id for pack in stock.packs if pack.strict and pack.id in decision.packs]
    decision.say("strict" if strict else "strict-none", names=", ".join(strict))
    if site.numbers is not None:
        decision.say("numbers-own", name=site.numbers.name)
    elif count := len(shipped(site.country)):
        decision.say("numbers", country=site.country, count=count)
    else:
        decision.say("numbers-none", country=site.country)
    if not (VACCINES / f"{site.country.lower()}.toml").is_file():
        decision.say("vaccines-none", country=site.country)


def _model(decision: Decision, site: Site, weak: Computers, ram_mb: int, stock: Stock, section: Section) -> None:
    if site.model == "none":
        decision.say("model-unwanted")
        return
    if not weak.runs_models:
        decision.say("model-processor", name=weak.name or "-")
        return
    if site.model == "auto":
        most = decision.tier.model_mb * 1_000_000
        model = choose.model(stock.models, site.languages, ram_mb, most)
        if model is None:
            decision.say("model-none", tier=decision.tier.name, ram=ram_mb, most=decision.tier.model_mb)
            return
        decision.say("model", name=model.id, size=megabytes(model.size), least=model.least_ram_mb, ram=ram_mb)
        _offer_other(decision, model, site, ram_mb, most, stock)
    else:
        named = next((m for m in stock.models if m.id == site.model), None)
        if named is None:
            section.complain("model", "model-unknown")
            return
        model = named
        if model.least_ram_mb > ram_mb:
            section.complain("model", "model-large", least=model.least_ram_mb, name_of=weak.name or "-", ram=ram_mb)
        decision.say("model-asked", name=model.id, size=megabytes(model.size))
    if not model.carded:
        decision.say("model-uncarded", name=model.id)
    decision.models.append(model.id)
    decision.take(stock, model.kind, model.id)
    if form := stock.form_of(model.id):
        decision.models.append(form.id)
        decision.entries.append(form)
        decision.say("model-form", name=form.id, size=megabytes(form.size))


def _offer_other(decision: Decision, model: Model, site: Site, ram_mb: int, most: int, stock: Stock) -> None:
    """Name what the depot has instead, when the best one must be fetched first."""
    here = [m for m in stock.models if m.here]
    other = None if model.here else choose.model(here, site.languages, ram_mb, most)
    if other is not None:
        decision.say("model-other", name=model.id, other=other.id, size=megabytes(other.size))


def _voices(
    decision: Decision, site: Site, weak: Computers, ram_mb: int, stock: Stock, release: Release, section: Section
) -> None:
    if site.voices is not None:
        own = {entry.id for entry in stock.entries if entry.kind == "voice"}
        known = own | {artifact.id for artifact in release.artifacts if artifact.kind == "voice"}
        if unknown := [name for name in site.voices if name not in known]:
            section.complain("voices", "voice-unknown", voice=unknown[0])
        chosen = [name for name in site.voices if name in known]
    elif not weak.runs_models:
        chosen = []
    else:
        small = decision.tier.small_voices
        found = {lang: choose.voice(release, lang, ram_mb, small=small) for lang in site.languages}
        chosen = [artifact.id for artifact in found.values() if artifact]
        for lang in (lang for lang, artifact in found.items() if artifact is None):
            decision.say("voice-none", lang=lang)
    for name in chosen:
        decision.say("voice", name=name)
        decision.voices.append(name)
        decision.take(stock, "voice", name)


def _release(decision: Decision, site: Site, stock: Stock) -> None:
    newest = stock.newest("release")
    if site.sticks.release and newest is not None:
        decision.entries.append(newest)
        decision.say("release", name=newest.version)
