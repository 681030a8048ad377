"""Deciding what the options leave open: season, horizon, look-back, stride, calendar."""

from __future__ import annotations

from data import durations
from data.options import ForecastOptions, Period, Wind
from data.series import Repair, Series, default_season
from data.times import find_column
from data.windows import WindowSpec


def resolve(options: ForecastOptions, series: Series) -> tuple[ForecastOptions, WindowSpec, list[Repair]]:
    """The options with every `auto` decided, as durations; the windows in rows; and what is worth saying about it.

    - season: see `data.series.default_season`;
    - horizon: one season;
    - look_back: three horizons, at least two seasons; less where the train part is too short for that;
    - stride: one step;
    - calendar: the day for steps below half a day, the week for steps up to a day, where train covers two, and the
      year where train covers one.
    """
    step, names, notes = series.step, list(series.columns), []
    rows = {
        setting: durations.steps(getattr(options, setting), step, f"data.{setting}", week=series.grid.week)
        for setting in ("season", "horizon", "look_back", "stride")
        if getattr(options, setting) != "auto"
    }
    season = rows.get("season", default_season(series.grid))
    horizon = rows.get("horizon", season)
    look_back = rows.get("look_back", max(3 * horizon, 2 * season))
    if "look_back" not in rows:
        room = int(series.longest * options.split.train) - horizon
        if room // 2 < look_back and room >= 2:
            look_back = max(1, min(look_back, room // 2))
            if look_back < max(3 * horizon, 2 * season):
                what = f"look-back set to {look_back} rows, less than usual: the series is short"
                notes.append(Repair(what, series.rows))
    stride = rows.get("stride", 1)
    periods = _default_periods(series, options) if options.calendar == "auto" else options.calendar
    as_text = {name: _text(count, series) for name, count in (("season", season), ("horizon", horizon))}
    resolved = options.model_copy(
        update={
            "target": list(names[: series.targets]),
            "covariates": names[series.targets :] or "none",
            "known_ahead": [find_column(c, names, "data.known_ahead") for c in options.known_ahead],
            "wind": [
                Wind(
                    speed=find_column(w.speed, names, "data.wind.speed"),
                    direction=find_column(w.direction, names, "data.wind.direction"),
                )
                for w in options.wind
            ],
            "clock": series.clock,
            "day_first": series.day_first,
            "step": _text(1, series),
            "look_back": _text(look_back, series),
            "stride": _text(stride, series),
            "calendar": list(periods),
            **as_text,
        }
    )
    return resolved, WindowSpec(look_back, horizon, stride, season), notes


def _default_periods(series: Series, options: ForecastOptions) -> list[Period]:
    span = int(series.times.max() - series.times.min()) * options.split.train
    worth: dict[Period, bool] = {
        "day": series.step < durations.DAY / 2,
        "week": series.step <= durations.DAY and span >= 2 * durations.WEEK,
        "year": series.step < durations.YEAR / 2 and span >= 0.95 * durations.YEAR,
    }
    return [period for period, use in worth.items() if use]


def _text(rows: int, series: Series) -> str:
    if series.grid.weekdays:
        return f"{rows}d"
    return f"{rows * series.grid.months}mo" if series.grid.months else durations.text(rows * series.step)
