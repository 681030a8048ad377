"""The published long-horizon tables of ETTh1 and weather, for models of this house and its baselines.

    python -m tests.benchmarks.ltsf [--data etth1|ltsf-weather] [--horizons 96,192] [--kinds ridge,…] [--json FILE]

Mean squared and mean absolute error in standardised units, over every window; see `protocol`.
"""
