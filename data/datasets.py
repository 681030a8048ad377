"""The series that have a name."""

from __future__ import annotations

from data.source import Dataset

#: What a file may be packed with.
PACKED = ("", ".xz", ".gz", ".zip")

SERIES: dict[str, Dataset] = {
    d.name: d
    for d in (
        Dataset(
            name="jena",
            files=tuple(f"{f}jena_climate_2009_2016.csv{s}" for f in ("", "jena/") for s in (".zip", "", ".gz", ".xz")),
            url="https://storage.googleapis.com/tensorflow/tf-keras-datasets/jena_climate_2009_2016.csv.zip",
            # No SHA-256 is published; the length stands in the output of tensorflow.org's tutorial on time series.
            size=13_568_290,
            about="a station in Jena from 2009 to 2016, 14 variables, 10 minutes, as in the Keras documentation",
            untried=True,
        ),
        Dataset(
            name="ltsf-weather",
            files=tuple(f"{folder}weather.csv{s}" for folder in ("weather/", "") for s in PACKED),
            about="of the long-horizon benchmarks: the same station, 21 variables, every 10 minutes of 2020",
        ),
        Dataset(
            name="etth1",
            files=tuple(f"{folder}ETTh1.csv{s}" for folder in ("ett/", "ETT-small/", "") for s in PACKED),
            url="https://raw.githubusercontent.com/zhouhaoyi/ETDataset/main/ETT-small/ETTh1.csv",
            sha256="f18de3ad269cef59bb07b5438d79bb3042d3be49bdeecf01c1cd6d29695ee066",
            size=2_589_657,
            about="of the long-horizon benchmarks: a transformer's load and oil temperature, hourly, two years",
        ),
    )
}
