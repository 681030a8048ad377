"""Classical models of another library as baselines: exponential smoothing, ARIMA and Theta, chosen automatically.

Asked for by name (`baselines: {arima: {classical: auto_arima}}`); `statsforecast` is imported only then.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import numpy as np
import pydantic
from pydantic import Field

from data.forecasting import ForecastData, iso
from pipelines.baselines import seasonal_naive
from pipelines.task import Say
from seqlayers.errors import ConfigurationError

#: The past that a forecast reads where none is given.
CONTEXT_SEASONS, CONTEXT_ROWS = 14, 100
#: Seconds between two lines of progress.
QUIET = 20.0


class ClassicalOptions(pydantic.BaseModel, extra="forbid", strict=True):
    """A classical baseline: a model's name, and how much it reads."""

    classical: Literal["auto_arima", "auto_ets", "auto_theta"]
    #: Rows of the main period; None takes the task's.
    season: Annotated[int, Field(ge=1)] | None = None
    #: The last rows of the train part that orders and parameters are chosen on.
    fit_rows: Annotated[int, Field(ge=10)] = 1000
    #: The rows before an origin that a forecast reads; None: 14 seasons, 100 at least. `auto_ets` carries its state
    #: on from the rows it was fitted on and reads all that came since.
    context_rows: Annotated[int, Field(ge=10)] | None = None
    #: It is refused, before it starts in earnest, where fit and forecasts would take longer.
    minutes: Annotated[float, Field(gt=0)] = 15.0


@dataclass
class _Fitted:
    """A model a target, and the row from which its state runs in each segment of the series."""

    models: list[Any]
    first: dict[int, int]


@dataclass
class Classical:
    """A fitted classical model, called as `pipelines.baselines.Naive` says.

    Each series and target has orders and parameters of its own, chosen once on the end of the train part and fixed.
    A forecast then reads its window's own past and nothing after the origin. Where there is too little past, in a
    series that begins after the train part or just behind a gap, it is the seasonal naive forecast.

    Attributes:
        options: as given, the season decided.
        least: rows that a model needs.
        fitted: by the first row of each segment.
        found: forecasts that have been made, by origin, (horizon, targets).
        fallen_back: how many of them are seasonal naive.
    """

    options: ClassicalOptions
    season: int
    least: int
    fitted: dict[int, _Fitted]
    found: dict[int, np.ndarray] = field(default_factory=dict)
    fallen_back: int = 0

    def __call__(
        self, values: np.ndarray, origins: np.ndarray, starts: np.ndarray, look_back: int, horizon: int, season: int
    ) -> np.ndarray:
        for origin, start in zip(origins.tolist(), starts.tolist(), strict=True):
            if origin not in self.found:
                self.found[origin] = self._forecast(values, origin, start, look_back, horizon)
        return np.stack([self.found[origin] for origin in origins.tolist()])

    def _forecast(self, values: np.ndarray, origin: int, start: int, look_back: int, horizon: int) -> np.ndarray:
        fitted = self.fitted.get(start)
        first = self._first(fitted, origin, start) if fitted else origin
        if fitted is None or origin - first < self.least:
            self.fallen_back += 1
            at = np.array([origin]), np.array([start])
            return seasonal_naive(values, *at, look_back, horizon, self.season)[0].astype(np.float32)
        past = values[first:origin].astype(np.float64)
        columns = [_ahead(model, past[:, i], horizon) for i, model in enumerate(fitted.models)]
        return np.stack(columns, axis=-1).astype(np.float32)

    def _first(self, fitted: _Fitted, origin: int, start: int) -> int:
        """The first row that a forecast reads."""
        if self.options.classical == "auto_ets":
            return min(fitted.first[start], origin)
        return max(start, origin - (self.options.context_rows or max(CONTEXT_ROWS, CONTEXT_SEASONS * self.season)))


def fit(name: str, options: ClassicalOptions, data: ForecastData, say: Say) -> Classical:
    """Choose and fit on the end of the train part, then forecast every window of validation and test.

    Args:
        name: of the baseline, for messages.
        options: as checked.
        data: the prepared data.
        say: progress.

    Raises:
        ConfigurationError: it would take longer than `minutes`; a forecast is not finite.
    """
    where = f"baselines.{name}"
    make = maker(where, options, data)
    season = options.season or data.spec.season
    model = Classical(options, season, max(2 * season + 6, 12), {})
    clock = _Clock(where, options.minutes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library's own, on what it tries while it chooses
        _fit_series(model, make, data, clock, say, name)
        _forecast_windows(model, data, clock, say, name)
    return model


def maker(where: str, options: ClassicalOptions, data: ForecastData) -> Callable[[], Any]:
    """What makes an unfitted model.

    Raises:
        ConfigurationError: the library is not installed, or an option means nothing here.
    """
    try:
        from statsforecast.models import AutoARIMA, AutoETS, AutoTheta
    except ImportError:
        problem = f"'{options.classical}' comes from statsforecast, which is not installed."
        raise ConfigurationError(where, problem, 'pip install "seqlayers[classical]"') from None
    season = options.season or data.spec.season
    if options.classical == "auto_arima":
        # Each seasonal order makes the state a season longer. On hourly weather the whole search (P, Q ≤ 2, exact)
        # took twenty times as long, and what it chose was worse on validation, 1.80 °C against 1.67.
        return lambda: AutoARIMA(season_length=season, max_P=1, max_Q=1, approximation=True)
    if options.classical == "auto_theta":
        return lambda: AutoTheta(season_length=season)
    if options.context_rows is not None:
        problem = "auto_ets carries its state on from the rows it was fitted on; it has no context to set."
        raise ConfigurationError(f"{where}.context_rows", problem, "leave it out")
    # Its criterion looks one step ahead and would drop a season that pays over the horizon.
    return lambda: AutoETS(season_length=season, model="ZZA" if season > 1 else "ZZN")


def _fit_series(
    model: Classical, make: Callable[[], Any], data: ForecastData, clock: _Clock, say: Say, name: str
) -> None:
    series = data.series
    names = list(dict.fromkeys(series.names))
    chosen: list[str] = []
    short = 0
    for number, own in enumerate(names):
        segments = [i for i, other in enumerate(series.names) if other == own]
        first, last = _fit_range(data, segments, model.options.fit_rows)
        if last - first < model.least:
            short += 1
            continue
        values = series.values[first:last, : series.targets].astype(np.float64)
        fitted = [make().fit(values[:, i]) for i in range(series.targets)]
        runs = _where_states_run(data, segments, first, model.season)
        model.fitted |= dict.fromkeys(runs, _Fitted(fitted, runs))
        chosen += [_describe(m) for m in fitted]
        clock.expect(clock.elapsed / (number + 1) * len(names), f"to fit {len(names)} series")
    counts = sorted(set(chosen), key=lambda c: (-chosen.count(c), c))
    most = ", ".join(counts[:3]) + (f" and {len(counts) - 3} others" if len(counts) > 3 else "")
    say(f"{name}: {most or 'nothing'} fitted in {clock.elapsed:.1f} s")
    if short:
        say(
            f"{name}: {short} of {len(names)} series have fewer than {model.least} rows to fit on: "
            "they get the seasonal naive forecast"
        )


def _forecast_windows(model: Classical, data: ForecastData, clock: _Clock, say: Say, name: str) -> None:
    series, spec = data.series, data.spec
    origins = np.concatenate([data.origins("validation"), data.origins("test")])
    starts = series.bounds[np.searchsorted(series.bounds, origins, side="right") - 1]
    values = series.values[:, : series.targets]
    tried = np.unique(np.linspace(0, len(origins) - 1, 8).round().astype(int))
    others = np.setdiff1d(np.arange(len(origins)), tried)
    begun, told = clock.elapsed, clock.elapsed
    for done, i in enumerate([*tried.tolist(), *others.tolist()], 1):
        got = model(values, origins[i : i + 1], starts[i : i + 1], spec.look_back, spec.horizon, spec.season)
        if not np.isfinite(got).all():
            problem = f"its forecast after {iso(series.times[origins[i] - 1])} is not finite."
            raise ConfigurationError(clock.where, problem, "another fit_rows, or another model")
        expected = begun + (clock.elapsed - begun) / done * len(origins)
        if done == len(tried):
            clock.expect(expected, f"for {len(origins):,} forecasts")
        if clock.elapsed - told > QUIET:
            told = clock.elapsed
            say(f"{name}: {done / len(origins):.0%} of {len(origins):,} windows, {expected - told:.0f} s left")
    say(f"{name}: {len(origins):,} windows forecast in {clock.elapsed - begun:.1f} s")
    if model.fallen_back and model.fitted:
        say(f"{name}: {model.fallen_back:,} of them have too little past and get the seasonal naive forecast")


@dataclass
class _Clock:
    """How long it has taken, and the refusal of what would take too long."""

    where: str
    minutes: float
    begun: float = field(default_factory=time.perf_counter)

    @property
    def elapsed(self) -> float:
        return time.perf_counter() - self.begun

    def expect(self, seconds: float, what: str) -> None:
        if seconds > 60 * self.minutes:
            problem = f"it would take about {seconds / 60:.0f} minutes {what}, and {self.minutes:g} are allowed."
            accepted = "more minutes, fewer fit_rows or context_rows, or auto_theta or auto_ets, which are quicker"
            raise ConfigurationError(self.where, problem, accepted)


def _fit_range(data: ForecastData, segments: Sequence[int], rows: int) -> tuple[int, int]:
    """The rows of a series that are fitted: the end of its last stretch of train rows, or of a longer one before."""
    first, last = data.borders_in_time.ranges(data.series, "train")
    lengths = {i: min(int(last[i] - first[i]), rows) for i in segments}
    best = max(segments, key=lambda i: (lengths[i], i))
    return int(last[best]) - lengths[best], int(last[best])


def _where_states_run(data: ForecastData, segments: Sequence[int], first: int, season: int) -> dict[int, int]:
    """First row of each segment → the row from which a state fitted from `first` on can run: of the same phase."""
    series = data.series
    found = {}
    for i in segments:
        start, end = int(series.bounds[i]), int(series.bounds[i + 1])
        if start <= first < end:
            found[start] = first
        else:
            places = series.grid.positions(series.times[[first, start]])
            found[start] = start + int(places[0] - places[1]) % season
    return found


def _ahead(model: Any, past: np.ndarray, horizon: int) -> np.ndarray:
    """A forecast from a past, with the model's orders and parameters as they are."""
    if np.ptp(past) == 0:
        return np.full(horizon, past[-1])
    return np.asarray(model.forward(past, horizon)["mean"])


def _describe(model: Any) -> str:
    """What was chosen, such as `ARIMA(2,0,0)(2,1,0)[24]`."""
    from statsforecast.arima import arima_string

    found = model.model_
    if "arma" in found:
        return arima_string(found).strip()
    return f"ETS({','.join(found['components'][:3])})" if "components" in found else f"Theta {found['modeltype']}"
