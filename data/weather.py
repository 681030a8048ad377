"""Weather: a station made by code, so that everything can be tried without a download."""

from __future__ import annotations

import hashlib
import math
from itertools import accumulate

import numpy as np
import pandas as pd

from data.source import Source

COLUMNS = (
    "Date Time",
    "p (mbar)",
    "T (degC)",
    "Tpot (K)",
    "Tdew (degC)",
    "rh (%)",
    "VPmax (mbar)",
    "VPact (mbar)",
    "VPdef (mbar)",
    "sh (g/kg)",
    "H2OC (mmol/mol)",
    "rho (g/m**3)",
    "wv (m/s)",
    "max. wv (m/s)",
    "wd (deg)",
)
#: What the sample's logger writes where it has no reading.
MISSING = -9999.0

FIRST = np.datetime64("2022-01-01T00:10:00", "s")
STEP = 600
ROWS = 2 * 365 * 144
#: Rows made and thrown away first, so that the processes have forgotten where they started.
SPIN_UP = 20 * 144
HOURS = STEP / 3600
LATITUDE = math.radians(50.9)


def sample() -> tuple[pd.DataFrame, Source]:
    """Two years of a station that does not exist, every 10 minutes, with the columns of the one in Jena.

    Weather systems of some days drive everything together: pressure falls, the wind backs to the south and brings
    warm, moist air and cloud; the trough passes, the wind veers to the north-west and the air turns cold and clear.
    So pressure and wind say something of tomorrow's temperature, as they do outdoors. On top stand the year, and a
    day whose height depends on the sun and the clouds. Humidity, potential temperature and density follow from
    pressure, temperature and dew point by the usual formulas (Magnus, ideal gas). A few faults of real loggers are in
    it: -9999 for some wind readings, a short gap, a repeated stamp.
    """
    frame = _with_faults(_station(np.random.default_rng(2009)))
    digest = hashlib.sha256()
    for name in frame.columns:
        digest.update(name.encode())
        values = frame[name].to_numpy()
        digest.update(np.ascontiguousarray(values.astype("<i8" if name == COLUMNS[0] else "<f8")).tobytes())
    note = "made by code, not measured: two years of a station that does not exist"
    return frame, Source("sample", None, digest.hexdigest(), True, note)


def _station(rng: np.random.Generator) -> pd.DataFrame:
    rows = ROWS + SPIN_UP
    times = FIRST.astype(np.int64) + (np.arange(rows) - SPIN_UP) * STEP
    day_of_year = (times / 86400.0) % 365.2425
    sun = _sun(times, day_of_year)
    winter = np.cos(2 * np.pi * (day_of_year - 15) / 365.2425)  # 1 in mid-January, -1 in mid-July

    pressure, tendency = _systems(rng, rows, 1 + 0.35 * winter)  # mbar, mbar in 3 hours
    swing = np.tanh(tendency / 2.5)  # -1: falling fast, 1: rising fast
    cloud = _logistic(-0.16 * pressure - 1.1 * swing + 1.3 * _ou(rng, rows, 16) + 0.25 * winter)
    direction = 220 + 75 * swing + 24 * _ou(rng, rows, 9) + 45 * _ou(rng, rows, 60)
    calm = 1.5 + 0.75 * np.abs(tendency) - 0.05 * pressure
    speed = np.maximum(calm, 0.4) * (0.75 + 0.6 * sun * (1 - 0.5 * cloud)) * np.exp(0.5 * _ou(rng, rows, 2.5))
    speed = 14 * np.tanh(speed / 14)
    direction = (direction + 26 / (0.6 + speed) * rng.normal(size=rows)) % 360

    north = -np.cos(np.deg2rad(direction))  # the wind's way: 1 from the south
    push = 0.055 * (north - 0.35) * np.minimum(speed, 8)
    mass = _relax(HOURS * push + 0.2 * math.sqrt(HOURS) * rng.normal(size=rows), 70)
    warmed = 3.5 * sun * (1 - 0.75 * cloud) - 0.85 * (1 - 0.8 * cloud) * (1 - 0.3 * np.tanh(speed / 4))
    day = _relax(HOURS * warmed, 9)
    temperature = 8.6 - 5.6 * winter + 2.0 * mass + day + 0.25 * _ou(rng, rows, 1.0) + 0.05 * rng.normal(size=rows)

    moist = 4.0 - 6.2 * winter + 1.6 * mass + 2.6 * cloud + 1.5 * _ou(rng, rows, 30) + 0.2 * _ou(rng, rows, 1)
    spread = np.logaddexp(0.0, (temperature - moist) / 1.2) * 1.2 * 0.97 + 0.05
    gust = speed * (1.45 + 0.3 * np.abs(rng.normal(size=rows))) + 0.25
    pressure = 989.2 + pressure + 0.5 * np.cos(4 * np.pi * times / 86400)  # with the atmosphere's half-daily tide
    frame = _moist_air(pressure.round(2), temperature.round(2), (temperature - spread).round(2))
    frame |= {"wv (m/s)": speed, "max. wv (m/s)": gust, "wd (deg)": direction}
    digits = {"wd (deg)": 1, "rh (%)": 1}
    kept = {name: frame[name][SPIN_UP:].round(digits.get(name, 2)) for name in COLUMNS[1:]}
    kept["wd (deg)"] %= 360
    return pd.DataFrame({COLUMNS[0]: times[SPIN_UP:].astype("datetime64[s]"), **kept})


def _moist_air(p: np.ndarray, t: np.ndarray, dew: np.ndarray) -> dict[str, np.ndarray]:
    r"""What follows from pressure (mbar), temperature and dew point (°C).

    Saturation by Magnus, \(e_s(T) = 6.1078 \exp(17.08085\,T / (234.175 + T))\); density by the ideal gas law for dry
    air and vapour; potential temperature for 1000 mbar.
    """
    most, actual = (6.1078 * np.exp(17.08085 * x / (234.175 + x)) for x in (t, dew))
    kelvin = t + 273.15
    density = 1e5 * ((p - actual) / (287.05 * kelvin) + actual / (461.5 * kelvin))
    return {
        "p (mbar)": p,
        "T (degC)": t,
        "Tpot (K)": kelvin * (1000 / p) ** 0.2857,
        "Tdew (degC)": dew,
        "rh (%)": 100 * actual / most,
        "VPmax (mbar)": most,
        "VPact (mbar)": actual,
        "VPdef (mbar)": most - actual,
        "sh (g/kg)": 622 * actual / (p - 0.378 * actual),
        "H2OC (mmol/mol)": 1000 * actual / p,
        "rho (g/m**3)": density,
    }


def _sun(times: np.ndarray, day_of_year: np.ndarray) -> np.ndarray:
    """The sine of the sun's height, 0 at night."""
    declination = np.deg2rad(-23.44) * np.cos(2 * np.pi * (day_of_year + 10) / 365.2425)
    hour = 2 * np.pi * (times % 86400) / 86400 - np.pi
    height = math.sin(LATITUDE) * np.sin(declination) + math.cos(LATITUDE) * np.cos(declination) * np.cos(hour)
    return np.maximum(height, 0.0)


def _systems(rng: np.random.Generator, rows: int, strength: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Passing highs and lows, as an oscillator with friction that noise keeps going: mbar, and mbar in 3 hours."""
    turn, friction = 2 * math.pi / (6.0 * 24), 1 / 30  # radians an hour; an hour
    push = (0.098 * math.sqrt(HOURS) * strength * rng.normal(size=rows)).tolist()
    x, v, found, rates = 0.0, 0.0, [], []
    for kick in push:
        v += HOURS * (-turn * turn * x - friction * v) + kick
        x += HOURS * v
        found.append(x)
        rates.append(v)
    return np.array(found), 3 * np.array(rates)


def _ou(rng: np.random.Generator, rows: int, hours: float) -> np.ndarray:
    """An Ornstein-Uhlenbeck process of unit variance that forgets over so many hours."""
    keep = math.exp(-HOURS / hours)
    noise = (math.sqrt(1 - keep * keep) * rng.normal(size=rows)).tolist()
    return np.array(list(accumulate(noise, lambda y, e: keep * y + e)))


def _relax(forcing: np.ndarray, hours: float) -> np.ndarray:
    """What a forcing adds up to when so many hours forget it."""
    keep = math.exp(-HOURS / hours)
    return np.array(list(accumulate(forcing.tolist(), lambda y, e: keep * y + e)))


def _logistic(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def _with_faults(frame: pd.DataFrame) -> pd.DataFrame:
    """A frozen wind gauge twice, eight rows lost, one row sent twice."""
    frame = frame.copy()
    for start, length in ((4_712, 9), (58_031, 13)):
        frame.iloc[start : start + length, [COLUMNS.index("wv (m/s)"), COLUMNS.index("max. wv (m/s)")]] = MISSING
    rows = np.delete(np.arange(len(frame)), np.arange(30_240, 30_248))
    rows = np.insert(rows, 81_500, rows[81_500])
    return frame.iloc[rows].reset_index(drop=True)
