"""Speak sentences one after the other, in the background, and fall silent at once.

`put` and `hush` never block: they may be called from the screen's own thread. Without a sound
device, or with a voice that fails, the problem is told once and everything else goes on.
"""

from __future__ import annotations

import queue
from collections.abc import Callable
from threading import Event, Lock, Thread

from edge.errors import SpeechError
from edge.speech.sinks import NullSink, Sink, open_sink
from edge.speech.voice import Voice

_PATIENCE_SECONDS = 3.0
"""A slow voice may still be at its sentence when the app closes."""


class Speaker:
    """One queue of sentences, one voice, one sound device."""

    def __init__(
        self,
        voice: Voice,
        open_sound: Callable[[int], Sink] = open_sink,
        on_problem: Callable[[SpeechError], None] = lambda _: None,
    ) -> None:
        self.voice = voice
        self.problem = ""
        """The key of what went wrong, if anything; `on_problem` gets all of it once, from our thread."""

        self._open_sound = open_sound
        self._on_problem = on_problem
        self._sentences: queue.Queue[tuple[int, str] | None] = queue.Queue()
        self._turn = 0
        self._lock = Lock()
        self._idle = Event()
        self._idle.set()
        self._sink: Sink | None = None
        self._thread: Thread | None = None

    def put(self, sentence: str) -> None:
        """Speak `sentence` after those already waiting."""
        with self._lock:
            self._idle.clear()
            self._sentences.put((self._turn, sentence))
            if self._thread is None:
                self._thread = Thread(target=self._work, name="speaker", daemon=True)
                self._thread.start()

    def hush(self) -> None:
        """Stop speaking now and forget what was waiting; what is put later will be spoken."""
        with self._lock:
            self._turn += 1

    @property
    def busy(self) -> bool:
        """Whether anything is being spoken or waits to be."""
        return not self._idle.is_set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until all was spoken; return whether it was."""
        return self._idle.wait(seconds)

    def close(self) -> None:
        """Fall silent and let go of the device."""
        self.hush()
        with self._lock:
            thread, self._thread = self._thread, None
            self._sentences.put(None)
        if thread is not None:
            thread.join(_PATIENCE_SECONDS)
        with self._lock:
            self._sentences = queue.Queue()
            self._idle.set()

    def _work(self) -> None:
        sentences = self._sentences
        while (waiting := sentences.get()) is not None:
            turn, sentence = waiting
            if turn == self._turn:
                self._speak(turn, sentence)
            with self._lock:
                if sentences.empty():
                    self._idle.set()
        if self._sink is not None:
            self._sink.close()
            self._sink = None

    def _speak(self, turn: int, sentence: str) -> None:
        def stop() -> bool:
            return turn != self._turn

        if self._sink is None:
            try:
                self._sink = self._open_sound(self.voice.rate)
            except SpeechError as error:
                self._give_up_sound(error)
        if isinstance(self._sink, NullSink) or self._sink is None:
            return
        try:
            pcm = self.voice.pcm(sentence)
        except SpeechError as error:
            self._tell(error)
            return
        try:
            if pcm and not stop():
                self._sink.play(pcm, stop)
        except SpeechError as error:
            self._sink.close()
            self._give_up_sound(error)

    def _give_up_sound(self, error: SpeechError) -> None:
        self._sink = NullSink()
        self._tell(error)

    def _tell(self, error: SpeechError) -> None:
        if not self.problem:
            self.problem = error.key
            self._on_problem(error)
