"""Find what is personal in a question: telephones, documents, addresses, e-mails, birth dates, a full name with a place.

Pure. What is found becomes `[...]`, in one step and for good. Bare numbers stay: they are sums and facts more often; a
document's number counts when its check digits are right, or when its name stands before it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

GONE = "[...]"

_I = re.IGNORECASE
_SUM = re.compile(
    r"\d\s*[+*×÷=/]\s*\d|\bcu[aá]nto (es|son)\b|\bquanto [eé]\b|\bcalcul|\bresuelv|\bresolv|\brest|\bsum|\bsom[ae]", _I
)
_DATE = r"\d{1,2}\s?(?:[-/.]\s?\d{1,2}\s?[-/.]|\s+(?:de\s+)?[a-zç]{4,10}\s+(?:de(?:l)?\s+)?)\s?\d{2,4}"
_LONG_NUMBER = r"\d(?:[\s.-]?\d){5,12}(?!\d)"
_SURE = tuple(
    re.compile(pattern, _I)
    for pattern in (
        r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
        r"(?<!\w)[A-Z]{4}\d{6}[HMX][A-Z]{5}[A-Z0-9]\d(?!\w)",
        r"\+\d{2,3}[\s-]?(?:\(?\d{1,3}\)?[\s-]?)?\d{3,5}[\s-]?\d{3,4}(?:[\s-]?\d{3})?(?!\d)",
        r"\(\d{2}\)\s?9?\d{4}[\s-]?\d{4}(?!\d)",
        r"\b(?:(?:mi|meu|nuestro|nosso) n[uú]mero|ll[aá]mame|ll[aá]menme|me liga|escr[ií]beme)(?:\s+\w+){0,4}?\s*:?\s+"
        rf"{_LONG_NUMBER}",
        r"\b(?:tel[eé]fono|celular|cel|fono|tel|telefone|whatsapp|wsp|zap)\b(?:\s+\w+){0,3}?\s*:?\s*"
        rf"{_LONG_NUMBER}",
        r"\b(?:dni|c[eé]dula|curp|rut|cpf|rg|ci|carn[eé]t?|documento|identidad|identidade)\b(?:\s+\w+){0,3}?\s*:?\s*"
        r"(?=[\dA-Z.-]*\d{4})[\dA-Z][\dA-Z.-]{5,19}",
        rf"\b(?:nac[ií](?!\w)|nasci(?!\w)|mi cumplea[nñ]os|mi fecha de nacimiento|minha data de nascimento|meu anivers[aá]rio)"
        rf"(?:\s+\w+){{0,3}}?\s*:?\s*{_DATE}",
        r"\bm[ei] llamo\s+[\w\s]{2,60}?\s*(?:,|y|e)?\s*(?:\w+\s+){0,3}?(?:vivo|moro)\s+(?:en|em|no|na)\b[^?¿.!,]*",
        r"\b(?:(?:eu )?me chamo|meu nome [eé])\s+[\w\s]{2,60}?\s*(?:,|e)?\s*(?:moro|vivo)\s+(?:em|no|na)\b[^?.!,]*",
        r"\b(?:mi direcci[oó]n|mi domicilio|meu endere[cç]o)\s+(?:es|[eé]|:)\s*[^?¿!]*",
        r"\b(?:vivo|moro)\s+(?:en|em|no|na)\s+(?:la |el |o |a )?"
        r"(?:calle|av\w*|jr|jir[oó]n|pasaje|mz|manzana|carrera|rua|travessa|bairro)\b[^?¿!]*?\d+\w?",
    )
)


def redacted(text: str) -> str:
    """Return the text with `[...]` for everything personal in it."""
    for pattern in _SURE:
        text = pattern.sub(GONE, text)
    if _SUM.search(text):
        return text
    return _NUMBER.sub(lambda found: GONE if _is_document(found[0]) else found[0], text)


_NUMBER = re.compile(r"(?<![\w.,-])\d[\d.-]{7,13}[\dkK](?![\w]|[.,]\d)")


def _is_document(written: str) -> bool:
    plain = re.sub(r"[.-]", "", written).upper()
    shapes: tuple[tuple[str, Callable[[str], bool]], ...] = (
        (r"\d{3}\.?\d{3}\.?\d{3}-?\d{2}", is_cpf),
        (r"\d{1,2}\.?\d{3}\.?\d{3}-[\dK]", is_rut),
        (r"\d{10}|\d{9}-\d", is_cedula),
    )
    return any(re.fullmatch(shape, written.upper()) and right(plain) for shape, right in shapes)


def is_cpf(digits: str) -> bool:
    """Tell whether eleven digits are a CPF of Brazil."""
    if len(digits) != 11 or not digits.isdigit() or len(set(digits)) == 1:
        return False
    for length in (9, 10):
        total = sum(int(digit) * weight for digit, weight in zip(digits, range(length + 1, 1, -1), strict=False))
        if total * 10 % 11 % 10 != int(digits[length]):
            return False
    return True


def is_rut(digits: str) -> bool:
    """Tell whether this is a RUT of Chile, its check letter last."""
    if not digits[:-1].isdigit():
        return False
    total = sum(int(digit) * (2 + at % 6) for at, digit in enumerate(reversed(digits[:-1])))
    return "0123456789K0"[11 - total % 11] == digits[-1]


def is_cedula(digits: str) -> bool:
    """Tell whether ten digits are a cédula of Ecuador."""
    if len(digits) != 10 or not digits.isdigit() or not 1 <= int(digits[:2]) <= 24 or int(digits[2]) > 5:
        return False
    doubled = (int(digit) * (2 - at % 2) for at, digit in enumerate(digits[:9]))
    return (10 - sum(one - 9 if one > 9 else one for one in doubled) % 10) % 10 == int(digits[9])
