"""What stands under `data:` in a forecasting configuration."""

from __future__ import annotations

from typing import Literal

import pydantic
from pydantic import Field

Duration = int | str
Period = Literal["day", "week", "year"]


class _Options(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class Wind(_Options):
    """Two columns that are one vector: a speed, and the direction it comes from in degrees clockwise from north."""

    speed: str
    direction: str


class Split(_Options):
    """Shares of the rows, in time: train first, test last."""

    train: float = Field(default=0.7, gt=0, lt=1)
    validation: float = Field(default=0.1, gt=0, lt=1)
    test: float = Field(default=0.2, gt=0, lt=1)

    @pydantic.model_validator(mode="after")
    def _whole(self) -> Split:
        total = self.train + self.validation + self.test
        if abs(total - 1) > 1e-6:
            raise ValueError(f"train + validation + test are shares of the rows and must make 1, not {total:g}")
        return self


class ForecastOptions(_Options):
    """How a table becomes windows. Durations are `10min`, `24h`, `5d`, `2w`, `1mo`, or a number of steps."""

    #: The time column; `auto` takes the first that holds dates. A list of columns (year, month, day, hour) is combined.
    time: str | list[str] = "auto"
    #: A `strptime` format, or `s` / `ms` for integers since 1970; None works it out.
    time_format: str | None = None
    #: Whether 1/2/2020 is in February, where nothing in the file decides; None: with dots it is, with slashes not.
    day_first: bool | None = None
    #: Of times with an offset from UTC: `local` leaves it aside, `utc` applies it, `auto` applies it where they differ.
    clock: Literal["auto", "local", "utc"] = "auto"
    #: The column or columns to forecast.
    target: str | list[str] | None = None
    #: The column that tells the series of a panel apart.
    id: str | None = None
    #: Time between rows. Coarser than the file's own: readings are averaged over (t - step, t].
    step: str = "auto"
    #: Values that mean "missing", numbers or text.
    missing: list[float | str] = []
    #: Further columns that the model reads.
    covariates: Literal["all", "none"] | list[str] = "all"
    #: Columns whose values over the horizon are known when the forecast is made.
    known_ahead: list[str] = []
    calendar: Literal["auto"] | list[Period] = "auto"
    wind: list[Wind] = []
    #: Columns that add up and are reset now and then, such as rain: each row is read as what it adds to the one before.
    totals: list[str] = []
    look_back: Duration = "auto"
    horizon: Duration = "auto"
    #: From one window's start to the next.
    stride: Duration = "auto"
    #: The main period of the series, for seasonal baselines.
    season: Duration = "auto"
    #: The longest hole that is filled forward; a longer one splits the series.
    max_gap: Duration = "auto"
    split: Split = Split()

    @property
    def targets(self) -> list[str]:
        """The targets as a list."""
        return [self.target] if isinstance(self.target, str) else list(self.target or [])
