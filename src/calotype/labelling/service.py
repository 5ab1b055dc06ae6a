"""The verbs of labelling work; those of reviews and of staffing have rooms of their own."""

from __future__ import annotations

from calotype.labelling.batch_commits import land_batch
from calotype.labelling.batches import (
    batch,
    batches,
    close_batch,
    extend_batch,
    left_out,
    open_batch,
    pause_batch,
    resume_batch,
)
from calotype.labelling.pages import my_work, work, work_events, work_image
from calotype.labelling.queue import Wanted, next_work
from calotype.labelling.threads import answer, ask, questions
from calotype.labelling.working import record, release_work, skip, submit

__all__ = [
    "Wanted",
    "answer",
    "ask",
    "batch",
    "batches",
    "close_batch",
    "extend_batch",
    "land_batch",
    "left_out",
    "my_work",
    "next_work",
    "open_batch",
    "pause_batch",
    "questions",
    "record",
    "release_work",
    "resume_batch",
    "skip",
    "submit",
    "work",
    "work_events",
    "work_image",
]
