"""Rules answer what pupils ask about fractions, units, shapes and numbers, only when they understand it whole."""

from __future__ import annotations

import time
from fractions import Fraction
from math import gcd, isqrt, lcm

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.tutor.reckon import reckon
from edge.tutor.reckon.divisors import divisors, factors
from edge.tutor.reckon.powers import root
from edge.tutor.reckon.roman import from_roman, to_roman
from edge.tutor.reckon.units_table import UNITS
from edge.tutor.reckon.wording import normal, number

SPANISH = {
    # fractions
    "cuanto es 3/4 + 1/2": "3/4 + 1/2 = 3/4 + 2/4 = 5/4 = 1 1/4 = 1,25",
    "¿Cuánto es 1 1/2 + 3/4?": "1 1/2 + 3/4 = 3/2 + 3/4 = 6/4 + 3/4 = 9/4 = 2 1/4 = 2,25",
    "5/6 - 1/3": "5/6 - 1/3 = 5/6 - 2/6 = 3/6 = 1/2 = 0,5",
    "3/4 por 2": "3/4 × 2 = 6/4 = 3/2 = 1 1/2 = 1,5",
    "3/4 entre 1/2": "3/4 ÷ 1/2 = 3/4 × 2/1 = 6/4 = 3/2 = 1 1/2 = 1,5",
    "½ + ¼": "1/2 + 1/4 = 2/4 + 1/4 = 3/4 = 0,75",
    "1/2 + 1/3 + 1/4": "1/2 + 1/3 + 1/4 = 13/12 = 1 1/12",
    "¿Cuánto es 3/4 de 20?": "3/4 × 20 = 20 ÷ 4 × 3 = 15",
    "la tercera parte de 15": "1/3 × 15 = 15 ÷ 3 = 5",
    "profe, tres cuartos de 20": "3/4 × 20 = 20 ÷ 4 × 3 = 15",
    "simplifica 6/8": "6/8 = (6 ÷ 2)/(8 ÷ 2) = 3/4",
    "simplifica la fracción 3/7": "3/7 ya no se puede simplificar: ningún número mayor que 1 divide a los dos.",
    "¿cuál es mayor, 3/4 o 2/3?": "3/4 = 9/12; 2/3 = 8/12; 3/4 > 2/3. El mayor es 3/4.",
    "¿Qué fracción es menor: 1/4 o 1/8?": "1/4 = 2/8; 1/4 > 1/8. El menor es 1/8.",
    "¿Es 2/3 mayor que 3/4?": "No: 2/3 = 8/12; 3/4 = 9/12; 2/3 < 3/4.",
    "convierte 3/4 a decimal": "3/4 = 3 ÷ 4 = 0,75",
    "0,75 en fracción": "0,75 = 75/100 = 3/4",
    "7/4 a número mixto": "7/4 = 1 3/4",
    # units
    "¿Cuántos minutos hay en 3 horas y media?": "3,5 h = 3,5 × 60 min = 210 min",
    "convierte 2.5 km a metros": "2,5 km = 2,5 × 1000 m = 2500 m",
    "1 h 20 min en minutos": "1 h 20 min = 1 × 60 min + 20 min = 80 min",
    "1h20min en minutos": "1 h 20 min = 1 × 60 min + 20 min = 80 min",
    "100 minutos en horas": "100 min = 100 ÷ 60 h = 1 h 40 min ≈ 1,67 h",
    "cuantos gramos tiene un kilo": "1 kg = 1 × 1000 g = 1000 g",
    "5 kg son cuántos gramos": "5 kg = 5 × 1000 g = 5000 g",
    "a cuántos metros equivalen 3 km": "3 km = 3 × 1000 m = 3000 m",
    "¿Cuántos metros son 3 km y 200 m?": "3 km 200 m = 3 × 1000 m + 200 m = 3200 m",
    "1500 ml en litros": "1500 mL = 1500 ÷ 1000 L = 1,5 L",
    "cuantos litros hay en 2 m3": "2 m³ = 2 × 1000 L = 2000 L",
    "2 metros cuadrados a centímetros cuadrados": "2 m² = 2 × 10000 cm² = 20000 cm²",
    "cuantas unidades hay en 3 docenas": "3 docenas = 3 × 12 unidades = 36 unidades",
    "cuántos años hay en 3 siglos": "3 siglos = 3 × 100 años = 300 años",
    # shapes
    "cual es el area de un rectangulo de 5 por 8": "Área = largo × ancho = 8 × 5 = 40",
    "¿Cuál es el perímetro de un rectángulo de 5 cm por 8 cm?": "Perímetro = 2 × (largo + ancho) = 2 × (8 + 5) = 26 cm",
    "área del rectángulo de 4,5 cm x 2 cm": "Área = largo × ancho = 4,5 × 2 = 9 cm²",
    "si un rectángulo mide 5 m de largo y 3 m de ancho, ¿cuál es su área?": "Área = largo × ancho = 5 × 3 = 15 m²",
    "halla el perímetro de un cuadrado cuyo lado mide 7 m": "Perímetro = 4 × lado = 4 × 7 = 28 m",
    "area de un triangulo de 4 cm de altura y 6 cm de base": "Área = base × altura ÷ 2 = 6 × 4 ÷ 2 = 12 cm²",
    "perímetro de un triángulo de lados 3, 4 y 5 cm": "Perímetro = lado + lado + lado = 3 + 4 + 5 = 12 cm",
    "area de un circulo de radio 5": "Área = π × radio × radio ≈ 3,14 × 5 × 5 = 78,5. Se usó π ≈ 3,14, un valor aproximado.",
    # numbers
    "¿Es 91 un número primo?": "91 no es un número primo: 91 = 7 × 13.",
    "¿es primo el 97?": "97 es un número primo: solo lo dividen 1 y 97.",
    "¿Es 7 par o impar?": "7 es impar: termina en 7 y al dividirlo entre 2 sobra 1.",
    "¿Cuáles son los divisores de 24?": "Los divisores de 24 son: 1, 2, 3, 4, 6, 8, 12 y 24.",
    "¿Es 24 divisible por 5?": "No: 24 = 5 × 4 + 4.",
    "los primeros 5 múltiplos de 3": "Múltiplos de 3, los primeros 5 sin contar el 0: 3, 6, 9, 12 y 15.",
    "mcm de 4 y 6": "El mínimo común múltiplo de 4 y 6 es 12. (4 = 2 × 2; 6 = 2 × 3)",
    "máximo común divisor de 12 y 18": "El máximo común divisor de 12 y 18 es 6. (12 = 2 × 2 × 3; 18 = 2 × 3 × 3)",
    "descompón 84 en factores primos": "84 = 2 × 2 × 3 × 7",
    "2 a la 5": "2⁵ = 2 × 2 × 2 × 2 × 2 = 32",
    "¿Cuánto es 5 al cuadrado?": "5² = 5 × 5 = 25",
    "raiz cuadrada de 144": "√144 = 12, porque 12 × 12 = 144.",
    "raíz de 50": "√50 ≈ 7,07. Está entre 7 y 8: 7 × 7 = 49 y 8 × 8 = 64.",
    "tabla del 12": "12 × 1 = 12; 12 × 2 = 24; 12 × 3 = 36; 12 × 4 = 48; 12 × 5 = 60; 12 × 6 = 72; 12 × 7 = 84; "
    "12 × 8 = 96; 12 × 9 = 108; 12 × 10 = 120",
    "15% de descuento en 240": "15 % × 240 = 36; 240 - 36 = 204",
    "¿Cuánto es 200 más el 10%?": "10 % × 200 = 20; 200 + 20 = 220",
    "¿Qué porcentaje es 30 de 120?": "30 ÷ 120 × 100 = 25 %",
    "promedio de 4, 6 y 8": "Promedio = (4 + 6 + 8) ÷ 3 = 6",
    "14 en números romanos": "14 = XIV",
    "¿Qué número es XIV?": "XIV = 14",
    "¿Qué valor tiene el 3 en 5 342?": "En 5342, el 3 está en el lugar de las centenas: vale 300.",
}  # fmt: skip
PORTUGUESE = {
    "quanto é 3/4 mais 1/2": "3/4 + 1/2 = 3/4 + 2/4 = 5/4 = 1 1/4 = 1,25",
    "um terço de 15": "1/3 × 15 = 15 ÷ 3 = 5",
    "simplifique 6/8": "6/8 = (6 ÷ 2)/(8 ÷ 2) = 3/4",
    "qual é maior: 3/4 ou 2/3?": "3/4 = 9/12; 2/3 = 8/12; 3/4 > 2/3. O maior é 3/4.",
    "quantos minutos há em 3 horas e meia?": "3,5 h = 3,5 × 60 min = 210 min",
    "converta 2,5 km em metros": "2,5 km = 2,5 × 1000 m = 2500 m",
    "passe 3000 m para km": "3000 m = 3000 ÷ 1000 km = 3 km",
    "quantas unidades há em 3 dúzias": "3 dúzias = 3 × 12 unidades = 36 unidades",
    "qual é a área de um retângulo de 5 por 8?": "Área = comprimento × largura = 8 × 5 = 40",
    "área de um triângulo com base 6 cm e altura 4 cm": "Área = base × altura ÷ 2 = 6 × 4 ÷ 2 = 12 cm²",
    "o número 91 é primo?": "91 não é um número primo: 91 = 7 × 13.",
    "8 é par ou ímpar?": "8 é par: termina em 8 e pode ser dividido por 2.",
    "mmc de 4 e 6": "O mínimo múltiplo comum de 4 e 6 é 12. (4 = 2 × 2; 6 = 2 × 3)",
    "mdc entre 12 e 18": "O máximo divisor comum de 12 e 18 é 6. (12 = 2 × 2 × 3; 18 = 2 × 3 × 3)",
    "decomponha 60 em fatores primos": "60 = 2 × 2 × 3 × 5",
    "quanto é 5 ao quadrado": "5² = 5 × 5 = 25",
    "raiz quadrada de 90": "√90 ≈ 9,49. Está entre 9 e 10: 9 × 9 = 81 e 10 × 10 = 100.",
    "240 com 15% de desconto": "15 % × 240 = 36; 240 - 36 = 204",
    "média de 4, 6 e 8": "Média = (4 + 6 + 8) ÷ 3 = 6",
    "como se escreve 45 em números romanos?": "45 = XLV",
    "qual é o valor do 3 em 5342": "Em 5342, o 3 está na casa das centenas: vale 300.",
}
ENGLISH = {
    "3/4 + 1/2": "3/4 + 1/2 = 3/4 + 2/4 = 5/4 = 1 1/4 = 1.25",
    "how many minutes are in 3 hours": "3 h = 3 × 60 min = 180 min",
    "is 91 prime?": "91 is not a prime number: 91 = 7 × 13.",
    "square root of 144": "√144 = 12, because 12 × 12 = 144.",
}
LEFT_ALONE = """
    ¿Qué es el área de un rectángulo?
    ¿Qué son los números primos?
    ¿Por qué 91 no es primo?
    ¿Por qué el área de un rectángulo de 5 por 8 es 40?
    ¿Cómo se simplifica 6/8?
    ¿Una hora son 100 minutos?
    ¿Cuántos minutos tiene una hora?
    2 arrobas a kilos
    3 quintales en kg
    1 legua en km
    1.500 m a km
    1,500 kg a gramos
    cuantos dias hay en 2 meses
    convierte 2 kg a metros
    2 h y 3 kg en minutos
    3 h y medio min en segundos
    area de un triangulo de 5 por 8
    area de un circulo de 5
    perimetro de un triangulo de lados 1, 2 y 5
    longitud de un rectangulo de 5 por 8
    area de un rectangulo de 5 por 8 por 3
    perimetro de un cuadrado de 16 cm de area
    area de un rectangulo de 5 litros por 8 litros
    promedio de 4,6 y 8
    promedio de 4,5 y 6,5
    cual es mas grande, el sol o la luna
    2/3 de los alumnos
    cuanto es 2/0 + 1
    2 más 3 al cuadrado
    0 a la 0
    2 a la 200
    raiz cuadrada de -4
    divisores de 0
    mcm de 7 y 0
    4000 en numeros romanos
    que numero es IIII
    ¿Qué número es mil?
    valor del 5 en 5355
    24/12/2024
    91
"""


@pytest.mark.parametrize(
    ("lang", "question", "answer"),
    [(lang, *row) for lang, table in (("es", SPANISH), ("pt", PORTUGUESE), ("en", ENGLISH)) for row in table.items()],
)
def test_a_question_is_answered_with_its_working(lang: str, question: str, answer: str) -> None:
    found = reckon(question, lang)
    assert found is not None
    assert found.text == answer


@pytest.mark.parametrize("question", [line.strip() for line in LEFT_ALONE.strip().splitlines()])
def test_what_is_not_understood_whole_is_left_to_the_library(question: str) -> None:
    assert reckon(question, "es") is None
    assert reckon(question, "pt") is None


@pytest.mark.parametrize(
    ("written", "value"),
    [("1,5", "1.5"), ("1.5", "1.5"), ("1.234.567", "1234567"), ("1,234,567", "1234567"), ("1.500,75", "1500.75"),
     ("1,500.75", "1500.75"), ("5 342", "5342"), ("0,125", "0.125"), ("1.500", None), ("1,500", None), ("1,2,3", None)],
)  # fmt: skip
def test_a_number_that_may_be_two_is_none(written: str, value: str | None) -> None:
    assert normal(written) == value


BY_KIND = sorted({(unit.kind, unit.size, name) for name, unit in UNITS.items() if unit.sign not in ("unit", "ml", "l")})
PAIRS = [
    (one, other) for kind, a, one in BY_KIND for k, b, other in BY_KIND if k == kind and 1 < max(a / b, b / a) < 10**5
]
amounts = st.integers(1, 9999)
parts = st.fractions(min_value=Fraction(1, 99), max_value=99, max_denominator=99)


@given(st.sampled_from(PAIRS), amounts)
def test_a_conversion_turned_round_gives_what_it_began_with(pair: tuple[str, str], amount: int) -> None:
    there = reckon(f"convierte {amount} {pair[0]} a {pair[1]}", "en")
    assert there is not None
    last = there.text.rpartition(" = ")[2]
    if "≈" in there.text or "/" in last:
        return
    value = last.split()[0]
    if (exact := number(value)) is None or exact.denominator > 10**3:
        return
    back = reckon(f"convierte {value} {pair[1]} a {pair[0]}", "en")
    assert back is not None
    assert number(back.text.rpartition(" = ")[2].split()[0]) == amount


@given(parts, parts, st.sampled_from("+-×÷"))
def test_sums_of_fractions_are_exact(one: Fraction, other: Fraction, sign: str) -> None:
    exact = {"+": one + other, "-": one - other, "×": one * other, "÷": one / other}[sign]
    found = reckon(f"{one.numerator}/{one.denominator} {sign} {other.numerator}/{other.denominator}", "en")
    assert found is not None
    steps = found.text.split(" = ")
    assert str(exact) in steps
    if abs(exact) > 1 and exact.denominator > 1:
        mixed = f"{'-' if exact < 0 else ''}{abs(exact) // 1} {abs(exact) % 1}"
        assert mixed in steps


@given(parts, parts)
def test_the_greater_of_two_fractions_is_named(one: Fraction, other: Fraction) -> None:
    left, right = (f"{each.numerator}/{each.denominator}" for each in (one, other))
    found = reckon(f"cuál es mayor, {left} o {right}", "es")
    assert found is not None
    wanted = "iguales" if one == other else f"El mayor es {left if one > other else right}"
    assert found.text.endswith(f"{wanted}.")


@given(st.integers(1, 3999))
def test_roman_numerals_come_back_as_the_number_they_were(value: int) -> None:
    assert from_roman(to_roman(value)) == value
    found = reckon(f"¿Qué número es {to_roman(value)}?", "es")
    assert found is not None
    assert found.text == f"{to_roman(value)} = {value}"


@given(st.integers(2, 10**6))
def test_factors_are_prime_and_multiply_to_the_number(value: int) -> None:
    product = 1
    for prime in factors(value):
        assert all(prime % divisor for divisor in range(2, isqrt(prime) + 1))
        product *= prime
    assert product == value


@given(st.integers(1, 2000), st.integers(1, 2000))
def test_divisors_and_multiples_are_the_true_ones(one: int, other: int) -> None:
    assert divisors(one) == [divisor for divisor in range(1, one + 1) if one % divisor == 0]
    for name, value in (("mcm", lcm(one, other)), ("mcd", gcd(one, other))):
        found = reckon(f"{name} de {one} y {other}", "es")
        assert found is not None
        assert f" es {value}. " in found.text


@given(st.integers(0, 10**21), st.sampled_from([2, 3]))
def test_a_root_is_the_largest_that_fits(value: int, power: int) -> None:
    low = root(value, 2 if power == 2 else 3)
    assert low**power <= value < (low + 1) ** power


WORDS = [
    "cuanto", "es", "cuantos", "metros", "hay", "en", "y", "media", "km", "3/4", "1/2", "2,5", "área", "de", "un",
    "rectángulo", "por", "8", "%", "descuento", "raíz", "cuadrada", "primo", "mcm", "XIV", "a", "la", "o", "mayor",
    "menor", "que", "tabla", "del", "7", "entre", "+", "-", "(", ")", "0", "1/0", "10" * 40, "valor", "el", "romanos",
]  # fmt: skip


@given(st.lists(st.sampled_from(WORDS), max_size=14), st.text(max_size=20), st.sampled_from(["es", "pt", "en"]))
def test_nothing_that_is_typed_breaks_a_rule_or_takes_long(words: list[str], text: str, lang: str) -> None:
    start = time.process_time()
    for question in (" ".join(words), f"{' '.join(words)} {text}", text):
        reckon(question, lang)
    assert time.process_time() - start < 1
