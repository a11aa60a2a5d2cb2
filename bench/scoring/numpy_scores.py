"""Scores one field with numpy, again and again: the other side of the benchmark of the scores.

Arguments: a raw file of float32 fields (forecast, truth, reference, climatology), the number of rows and of columns, and
how often one measurement repeats. For each line on standard input, `double` or `single`, one JSON line tells the median
time in milliseconds and the scores. The fields have no gaps, and nothing is done about gaps.
"""

import json
import sys
from statistics import median
from time import perf_counter

import numpy as np

# Rows that are worked on at a time: their temporaries stay in the cache. Of 8 to 721 rows this was the fastest.
BLOCK = 64


def make_scores(fields, latitudes, dtype):
    """Makes the function that scores. Differences and squares are of `dtype`, sums over rows are joined in float64."""
    forecast, truth, reference, climatology = fields
    rows, columns = forecast.shape
    weights = np.maximum(0, np.cos(np.deg2rad(latitudes)))
    total = weights.sum() * columns
    buffers = [np.empty((BLOCK, columns), dtype) for _ in range(4)]
    sums = np.empty((9, rows))
    blocks = [slice(start, min(start + BLOCK, rows)) for start in range(0, rows, BLOCK)]

    def products(left, right):
        return np.einsum("ij,ij->i", left, right)

    def score():
        for block in blocks:
            f, o, r, c = forecast[block], truth[block], reference[block], climatology[block]
            error, x, y, other = (buffer[: len(f)] for buffer in buffers)
            np.subtract(f, o, out=error, dtype=dtype)
            sums[0, block] = error.sum(axis=1)
            sums[1, block] = products(error, error)
            np.abs(error, out=other)
            sums[2, block] = other.sum(axis=1)
            np.subtract(f, c, out=x, dtype=dtype)
            np.subtract(o, c, out=y, dtype=dtype)
            sums[3, block] = x.sum(axis=1)
            sums[4, block] = y.sum(axis=1)
            sums[5, block] = products(x, x)
            sums[6, block] = products(y, y)
            sums[7, block] = products(x, y)
            np.subtract(r, o, out=other, dtype=dtype)
            sums[8, block] = products(other, other)
        bias, mse, mae, mean_x, mean_y, xx, yy, xy, reference_mse = sums @ weights / total
        correction = sums[0].sum() / (rows * columns)
        corrected = mse - 2 * correction * bias + correction**2
        acc = (xy - mean_x * mean_y) / np.sqrt((xx - mean_x**2) * (yy - mean_y**2))
        return {
            "rmse": np.sqrt(mse),
            "mae": mae,
            "bias": bias,
            "acc": acc,
            "skillScoreReference": 1 - corrected / reference_mse,
            "skillScoreClimatology": 1 - corrected / yy,
        }

    return score


def main():
    path, rows, columns, repeats = sys.argv[1], *map(int, sys.argv[2:5])
    fields = np.fromfile(path, dtype=np.float32).reshape(4, rows, columns)
    latitudes = np.linspace(90, -90, rows)
    sides = {
        "double": make_scores(fields, latitudes, np.float64),
        "single": make_scores(fields, latitudes, np.float32),
    }
    for line in sys.stdin:
        score = sides[line.strip()]
        times = []
        for _ in range(repeats):
            started = perf_counter()
            scores = score()
            times.append((perf_counter() - started) * 1000)
        found = {name: float(value) for name, value in scores.items()}
        print(json.dumps({"millis": median(times), "scores": found}), flush=True)


if __name__ == "__main__":
    main()
