"""One of several photos, restored as was chosen for all of them."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace

from PIL import Image

from inverse.errors import ProblemError
from inverse.settings import Settings
from inverse.web.base.guards import uploaded
from inverse.web.elements import photos
from inverse.web.jobs.diagnosing import diagnosed
from inverse.web.jobs.frames import Files
from inverse.web.jobs.fullsize import Full, FullJob
from inverse.web.jobs.job import Job, estimated_noise
from inverse.web.jobs.running import Latest

NOTHING_FOUND = (
    "Neither scratches nor missing parts were found in it. Restore it by itself, and brush over what is damaged."
)
Said = tuple[str, bytes | str]
"""What is said, and at the end the content of a PNG or the path of a file."""


@dataclass(frozen=True)
class Choice:
    """How every photo is restored.

    Attributes:
        settings: of a degraded photo; without sigma_y each photo's own noise is estimated.
        auxiliary: the picture that the task needs, the same for all.
        find: a mask of each photo's own takes its place: what is found to be scratched or missing.
        full: at each photo's own resolution.
        keep_metadata: what EXIF says and the colour profile go with it then.
    """

    settings: Settings
    auxiliary: Image.Image | None = None
    find: bool = False
    full: bool = True
    keep_metadata: bool = False

    def restored(self, path: str) -> Generator[Said, None, None]:
        """Restores the photo that was uploaded there.

        Raises:
            InverseError, gr.Error: with a sentence on why it could not be.
        """
        photo, file = photos.received(path)
        mask = diagnosed(uploaded(path)).mask if self.find else self.auxiliary
        if mask is None and self.find:
            raise ProblemError(NOTHING_FOUND)
        job = Job(self.settings, photo, mask, file)
        yield from _whole(FullJob.of(job, self.keep_metadata)) if self.full else _at_page_size(job)


def _whole(job: FullJob) -> Iterator[Said]:
    job.check()
    full = Full()
    with closing(full.follow(lambda: (job,))) as views:
        for view in views:
            yield view["message"], ""
    if not full.file:
        raise ProblemError(full.expired)
    yield "", full.file


def _at_page_size(job: Job) -> Iterator[Said]:
    if job.settings.sigma_y is None:
        job = replace(job, settings=replace(job.settings, sigma_y=estimated_noise(job.photo, job.settings.damage)))
    latest = Latest(show=Files())
    with closing(latest.follow(lambda: (job, job.problem()))) as updates:
        for view, status in updates:
            frame = view and view["frame"]
            if frame and latest.record:
                yield "", frame["files"][0]
                return
            yield status["message"], ""
    raise ProblemError(latest.expired)
