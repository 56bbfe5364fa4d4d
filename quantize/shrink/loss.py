"""What a student is judged by: the text, and what the teacher thinks of each next token. Pure functions on tensors."""

from __future__ import annotations

import torch
import torch.nn.functional as functional
from torch import Tensor

from quantize.shrink.cache import LEAST_TAIL, TopLogits


def text_loss(logits: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """Return the mean of -log p(target), weighted; logits [rows, context, vocabulary]."""
    each = functional.cross_entropy(logits.flatten(0, 1).float(), targets.flatten(), reduction="none")
    return _mean(each, weights.flatten())


def teacher_loss(logits: Tensor, teacher: TopLogits, temperature: float, weights: Tensor) -> Tensor:
    """Return T^2 KL(teacher | student) over the teacher's top tokens and one bucket for all others (Hinton 2015)."""
    ours = torch.log_softmax(logits.float() / temperature, -1).gather(-1, teacher.tokens)
    our_tail = torch.log1p(-ours.exp().sum(-1, keepdim=True).clamp(max=1.0 - LEAST_TAIL))
    theirs, their_tail = teacher.at(temperature)
    each = (theirs.exp() * (theirs - ours)).sum(-1) + (their_tail.exp() * (their_tail - our_tail)).squeeze(-1)
    return temperature**2 * _mean(each.flatten(), weights.flatten())


def student_loss(
    logits: Tensor, targets: Tensor, weights: Tensor, teacher: TopLogits | None, alpha: float, temperature: float
) -> Tensor:
    """Return alpha times the text's loss and 1 - alpha times the teacher's."""
    total = torch.zeros((), device=logits.device)
    if alpha > 0.0:
        total = total + alpha * text_loss(logits, targets, weights)
    if alpha < 1.0 and teacher is not None:
        total = total + (1.0 - alpha) * teacher_loss(logits, teacher, temperature, weights)
    return total


def _mean(each: Tensor, weights: Tensor) -> Tensor:
    return (each * weights).sum() / weights.sum().clamp(min=1.0)
