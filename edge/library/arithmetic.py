"""Compute the arithmetic behind an item: + - * / and brackets, exactly.

Not Python: the text is read into a syntax tree and only numbers and the four
operations are walked. Anything else is a ValueError.
"""

from __future__ import annotations

import ast
from fractions import Fraction

LONGEST = 200


def compute(text: str) -> Fraction:
    """Return the exact value of `text`; raise ValueError when it is not plain arithmetic."""
    if len(text) > LONGEST:
        raise ValueError(text[:40])
    try:
        tree = ast.parse(text.strip(), mode="eval")
        return _value(tree.body, text.strip())
    except (SyntaxError, ZeroDivisionError, RecursionError, MemoryError) as error:
        raise ValueError(text) from error


def _value(node: ast.expr, text: str) -> Fraction:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool):
        return Fraction(ast.get_source_segment(text, node) or "")
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand, text)
    if isinstance(node, ast.BinOp):
        left, right = _value(node.left, text), _value(node.right, text)
        match node.op:
            case ast.Add():
                return left + right
            case ast.Sub():
                return left - right
            case ast.Mult():
                return left * right
            case ast.Div():
                return left / right
    raise ValueError(text)
