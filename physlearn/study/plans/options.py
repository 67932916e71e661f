"""Options of a run: workers, limits, batches."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, field_validator

from physlearn.checks import MOST
from physlearn.study.plans.check import no_text, validated


class Options(BaseModel):
    """Options of a run; none of them changes a result."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    workers: int | None = Field(default=None, ge=1, le=2**16)
    timeout: float | None = Field(default=None, gt=0, allow_inf_nan=False, description="seconds a task may take")
    memory: float | None = Field(
        default=None, gt=0, allow_inf_nan=False, description="bytes a worker may take beyond its start"
    )
    retries: int = Field(default=1, ge=0, le=MOST, description="tries again of a task whose worker died")
    max_failures: int | None = Field(default=None, ge=0)
    batch: int | str = "auto"

    @field_validator("workers", "timeout", "memory", "retries", "max_failures", mode="before")
    @classmethod
    def _number(cls, value):
        return no_text(value)

    @field_validator("batch", mode="plain")
    @classmethod
    def _whole(cls, value):
        if isinstance(value, str) and value == "auto":
            return value
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MOST:
            raise ValueError("expected a whole number of at least 1, or 'auto'")
        return value


def checked_options(values) -> Options:
    """Options without errors, or a ValueError with all of them, one line each."""
    found, errors = validated(Options, values, "options:")
    if errors:
        raise ValueError("\n".join(errors))
    return found
