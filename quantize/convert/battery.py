"""The texts and conversations that any conversion is tried on."""

from __future__ import annotations

from edge.tutor.engine import Message

BATTERY = (
    "El niño bebió agua del río Ñuble; la cigüeña, no.",
    "«¿Cuánto es 2 + 3,5?» —preguntó la maestra’s… 1.234,56 y 1/2",
    "A menina não comeu pão às 7h30: ‘que pena’, disse vovó.",
    "  espacios   dobles\n\ny líneas\r\nnuevas\tcon tabulador  ",
    "Mbaʼéichapa, ñandúpe g̃uarã; ẽ ĩ ũ ỹ — kʼicheʼ 😀🇵🇪",
    "km² ≥ 10⁻³ → ½ °C № 5º ª x_1^2 = (a+b)/c; don't I'll",
    "ÁÉÍÓÚÜÑ áéíóúüñ ãõâêôàç ÃÕÂÊÔÀÇ",
    "",
    " ",
    "1 22 333 4444 55555 año2026 2026año",
)
SCORED = 6
"""So many of the texts are also scored by both models."""

CONVERSATIONS: tuple[tuple[Message, ...], ...] = (
    (
        {"role": "system", "content": "Responde con palabras sencillas."},
        {"role": "user", "content": "¿Qué es la fotosíntesis?"},
    ),
    (
        {"role": "system", "content": "Responde com palavras simples."},
        {"role": "user", "content": "Quanto é 7 × 8?"},
        {"role": "assistant", "content": "São 56."},
        {"role": "user", "content": "E 8 × 8?\nExplique."},
    ),
)
"""What the tutor asks always begins with the system's words and ends with a question."""
