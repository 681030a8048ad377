"""The data room: what it promises about files, series, windows and leaks."""
