"""Several photos one after another, each to a file or a sentence.

What a program does in one go on the command line is done in turns here: after a photo others may have the device, and a
turn is no longer than any job. The page asks for the next one by itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from inverse.batch.many import FAILED
from inverse.web.base import limits
from inverse.web.base.guards import said, spoken_errors
from inverse.web.elements.figures import duration
from inverse.web.jobs.album import RUNNING, WAITING, Album, Row
from inverse.web.jobs.each import Choice
from inverse.web.jobs.job import Job
from inverse.web.jobs.lifecycle import Lifecycle
from inverse.web.jobs.turn import others_wait

View = dict[str, Any]


@dataclass
class Many(Lifecycle):
    """A turn of a visitor's photos.

    Attributes:
        album: the photos.
        id: of the turn, by which the page tells it from earlier ones.
        view: as sent last.
    """

    album: Album = field(default_factory=Album)
    id: int = field(default_factory=lambda: time.time_ns() // 1_000_000)
    view: View = field(default_factory=dict)

    def next(self, asked: Mapping[Any, Any]) -> Many:
        """The turn after this one: with what is not restored yet, or if there is nothing else, with what failed."""
        if not self.album.waiting:
            for row in self.album.rows:
                if row.status == FAILED and row.path:
                    row.wait()
        return Many(asked, album=self.album)

    def told(self, phase: str, message: str) -> View:
        rows = [row.view for row in self.album.rows]
        share = self.album.over / max(1, len(rows))
        return {"id": self.id, "phase": phase, "message": message, "rows": rows, "progress": round(100 * share, 1)}

    def seen(self, phase: str, message: str, **more: Any) -> View:
        self.view = {**self.told(phase, message), **more}
        return self.view

    def follow(self, prepare: Callable[[], tuple[Any, ...]]) -> Generator[View, None, None]:
        """Yields what the page is shown. One photo that fails does not end it.

        Args:
            prepare: returns a `Choice`; what it refuses is wrong for all photos.
        """
        self.begun, start, longest = True, time.perf_counter(), 0.0
        yield self.seen("running", "Preparing…")
        try:
            with spoken_errors():
                (choice,) = prepare()
        except Exception as error:
            yield self.failed(error)
            raise
        for finished, row in enumerate(self.album.waiting):
            if self.stopping:
                break
            began = time.perf_counter()
            spent = began - start
            if finished and (spent + longest > limits.current().seconds or others_wait()):
                words = "Others have the device for a moment; it goes on by itself."
                yield self.seen("again", f"{self.album.over} of {len(self.album.rows)} are done. {words}")
                return
            yield from self._one(row, choice, spent / finished if finished else 0.0)
            longest = max(longest, time.perf_counter() - began)
        yield from self.ended()

    def _one(self, row: Row, choice: Choice, usual: float) -> Iterator[View]:
        """Restores a photo; `usual` are the seconds that one took until now, 0 where none did."""
        rows, start = self.album.rows, time.perf_counter()
        place = f"{rows.index(row) + 1} of {len(rows)}: {row.name}"
        left = f" All in about {duration(usual * len(self.album.waiting))}." if usual else ""
        row.status = RUNNING
        self.album.renew()
        try:
            with spoken_errors(), closing(choice.restored(row.path)) as steps:
                for words, content in steps:
                    if self.stopping:
                        return
                    if content:
                        self.album.keep(row, content)
                        row.words = f"done in {duration(time.perf_counter() - start)}"
                        break
                    yield self.seen("running", f"{place}. {words}{left}")
        except Exception as error:
            row.status, row.words = FAILED, said(error)
        finally:
            if row.status == RUNNING:  # it was stopped, and is to be done again
                row.status = WAITING
        yield self.seen("running", f"{place}, {row.words}")

    def ended(self) -> Iterator[View]:
        yield self.stop() if self.stopping else self.seen("done", self.album.summary)

    def stop(self) -> View:
        self.stopping = True
        rest = len(self.album.rows) - self.album.over
        others = f"the other {rest}" if rest > 1 else "the last one"
        more = f" Restore all goes on with {others}." if rest else ""
        return self.seen("stopped", f"Stopped. {self.album.summary}{more}")

    def work(self, job: Job, *given: Any) -> Generator[View, None, None]:
        raise AssertionError("Each photo is a job of its own.")
