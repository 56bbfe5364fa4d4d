"""What a language model's recipe may say, with the defaults."""

from __future__ import annotations

from dataclasses import dataclass

from quantize.shrink.settings import DistilSettings


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of one Llama. Rows of 256 keep every quantization type possible."""

    vocabulary: int
    context: int
    hidden: int
    layers: int
    heads: int
    key_heads: int
    feed_forward: int
    rope_theta: float = 10_000.0
    epsilon: float = 1e-5

    @property
    def head_size(self) -> int:
        """Return the width of one attention head."""
        return self.hidden // self.heads


@dataclass(frozen=True, slots=True)
class LmSettings:
    """The table `[lm]` of a recipe."""

    vocabulary: int
    context: int
    hidden: int
    layers: int
    heads: int
    key_heads: int
    feed_forward: int
    shares: tuple[str, ...]
    """How much of the training each source is: "openstax 0.2"; sources that are absent give theirs away."""

    tokens: int
    """The training ends here, or with its minutes."""

    minutes: float
    rows: int
    """Windows of `context` tokens in one step."""

    rate: float
    """Highest learning rate of the matrices (Muon); the embedding gets `embedding_rate` (AdamW)."""

    start: str = ""
    """A Hugging Face folder to go on from: its vocabulary is kept, its network grown to these layers."""

    teacher: str = ""
    """A Hugging Face folder to learn from: the student is that teacher with fewer layers, and the windows it learns
    from are drawn once by `shares`; `tokens` is how many it sees."""

    alpha: float = 0.5
    """With a teacher: the part of the loss that is the text itself; 1 is learning without the teacher."""

    temperature: float = 1.0
    top: int = 50
    """Teacher logits kept a token."""

    embedding_rate: float = 0.003
    threads: int = 1
    """Threads of the training; on a busy machine one is faster than two."""

    compile: bool = False
    """Compile the network first: about a minute, then a quarter faster."""

    text_chars: int = 12_000_000
    """At most so much of each source of text."""

    copies: int = 0
    """Exercises in finding and copying a sentence, made from the texts."""

    wordings: int = 1
    """How often a question for training is asked, each time with another part of the text around its answer."""

    echoes: int = 0
    """Windows of chance tokens that repeat: the shortest way to learn to copy."""

    held_articles: tuple[str, ...] = ()
    """Articles of the question corpus that are only for evaluation."""

    quantization: str = "Q8_0"
    evaluation_questions: int = 200
    gates: tuple[str, ...] = ()
    """What a capability must reach: "grounded_answer right 0.75" (capability, figure, least value)."""

    def shape(self) -> Shape:
        """Return the sizes of the network."""
        return Shape(
            vocabulary=self.vocabulary,
            context=self.context,
            hidden=self.hidden,
            layers=self.layers,
            heads=self.heads,
            key_heads=self.key_heads,
            feed_forward=self.feed_forward,
        )

    def lessons(self, seed: int) -> DistilSettings:
        """Return how the student learns from its teacher."""
        return DistilSettings(
            context=self.context,
            tokens=self.tokens,
            layers=self.layers,
            feed_forward=self.feed_forward,
            alpha=self.alpha,
            temperature=self.temperature,
            top=self.top,
            rows=self.rows,
            micro_rows=self.rows,
            rate=self.rate,
            embedding_rate=self.embedding_rate,
            optimizer="muon",
            # The teacher ended at a tenth of its rate: a student that begins as part of it only cools down further.
            cool_down=1.0,
            threads=self.threads,
            seed=seed,
        )
