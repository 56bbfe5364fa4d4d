"""What a licence asks of whoever passes a model on, checked before anything is published. Pure.

Llama 3.x Community Licence, section 1.b: the name of a derived model begins with "Llama",
"Built with Llama" is shown, a notice and a copy of the licence travel with it. Gemma Terms
of Use, section 3.1: a notice and a copy of the terms travel with it. All others that we
know of (Apache-2.0, MIT, CC) ask for their own text, which `licence` names.
"""

from __future__ import annotations

from dataclasses import dataclass

from quantize.publish.settings import PublishSettings
from quantize.recipe import RecipeError


@dataclass(frozen=True, slots=True)
class Duty:
    """What licences whose name begins like this ask for."""

    licence: str
    name: str
    """How the model's name must begin; empty means any."""

    words: tuple[str, ...]
    """What the notice must say."""


DUTIES = (
    Duty("llama", "llama", ("Built with Llama", "Community License", "Copyright")),
    Duty("gemma", "", ("Gemma Terms of Use",)),
)


def refuse_breach(settings: PublishSettings) -> None:
    """Raise RecipeError when the recipe leaves out what the licence asks for."""
    for duty in DUTIES:
        if not settings.licence.lower().startswith(duty.licence):
            continue
        if not settings.id.startswith(duty.name):
            raise RecipeError("publish-name", name=settings.id, licence=settings.licence, start=duty.name)
        if absent := [words for words in duty.words if words not in settings.notice]:
            raise RecipeError("publish-notice", licence=settings.licence, words="; ".join(absent))
        if not settings.licence_file:
            raise RecipeError("publish-licence-file", licence=settings.licence, path="-")
