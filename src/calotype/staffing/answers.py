"""Response models of staffing."""

from __future__ import annotations

from pydantic import Field

from calotype.foundation.answers import Answer, Number, Pair


class PersonFigures(Answer):
    """One annotator in a batch."""

    person: str
    submitted: int
    accepted: int
    sent_back: int
    skipped: int
    reviewed: int = Field(description="Samples that somebody reviewed and accepted.")
    unchanged: int = Field(description="Those that the reviewer took as they were, the first time.")
    interval: Pair[Number] = Field(description="95 % interval of their share.")
    first_pass: Number | None = Field(description="Their share; null where nothing was reviewed.")
    median_s: Number | None = Field(description="Median of the active seconds of a sample.")


class PrelabelFigures(Answer):
    """What became of the prelabels of one class and model, in accepted samples."""

    model: str
    class_: str = Field(alias="class")
    kept: int
    adjusted: int
    rejected: int


class BatchForecast(Answer):
    """When the last submission of a batch is expected, from the pace so far."""

    remaining: int = Field(description="Submissions that are still needed.")
    days: int = Field(description="Days of measured work, those without work too.")
    done: int = Field(description="Submissions in these days.")
    p50: str | None = Field(description="Day by which it is finished with a probability of 50 %.")
    p80: str | None = Field(description="The same with 80 %.")
    why: str = Field(description="Why there is no day.")


class QuestionFigures(Answer):
    """Questions of annotators in a batch."""

    open: int
    answered: int
    median_h: Number | None = Field(description="Median of the hours until an answer.")


class BatchFigures(Answer):
    """The figures of a batch."""

    people: list[PersonFigures]
    prelabels: list[PrelabelFigures]
    forecast: BatchForecast
    questions: QuestionFigures
