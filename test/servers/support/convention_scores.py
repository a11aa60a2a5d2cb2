"""Scores of small fields by each convention, an implementation of its own: with the functions of xskillscore, or of numpy.

Reads the cases of `test/scoring/fixtures/conventions.json` as one line of standard input and prints, as one line, an object
for each case with the scores of each convention. `python convention_scores.py make` prints the fixture itself, with the scores of numpy as the expected ones.
"""

import json
import sys

import numpy as np

CONVENTIONS = ("barograph", "gaia", "weatherbench2")


class Numpy:
    """The definitions as xskillscore has them, over the points where both fields are finite."""

    @staticmethod
    def _mean(values, weights):
        known = np.isfinite(values)
        total = weights[known].sum()
        return float((weights * values)[known].sum() / total) if total > 0 else None

    def mse(self, a, b, weights):
        return self._mean((a - b) ** 2, weights)

    def mae(self, a, b, weights):
        return self._mean(np.abs(a - b), weights)

    def me(self, a, b, weights):
        return self._mean(a - b, weights)

    def pearson_r(self, a, b, weights):
        known = np.isfinite(a) & np.isfinite(b)
        a, b, weights = a[known], b[known], weights[known] / weights[known].sum()
        a, b = a - (weights * a).sum(), b - (weights * b).sum()
        return float((weights * a * b).sum() / np.sqrt((weights * a * a).sum() * (weights * b * b).sum()))


class Xskillscore:
    """The same by the library itself."""

    def __getattr__(self, name):
        import xarray
        import xskillscore

        def score(a, b, weights):
            a, b, weights = (xarray.DataArray(values, dims=("lat", "lon")) for values in (a, b, weights))
            return float(getattr(xskillscore, name)(a, b, dim=["lat", "lon"], weights=weights, skipna=True))

        return score


def cell_weights(latitudes):
    """WeatherBench-X: sines of the bounds, half a step beyond the grid, not beyond a pole."""
    order = np.argsort(latitudes)
    centres = np.deg2rad(latitudes[order])
    steps = np.diff(centres)
    inner = (centres[:-1] + centres[1:]) / 2
    bounds = np.concatenate([[centres[0] - steps[0] / 2], inner, [centres[-1] + steps[-1] / 2]])
    sines = np.sin(np.clip(bounds, -np.pi / 2, np.pi / 2))
    weights = np.empty_like(centres)
    weights[order] = np.diff(sines)
    return weights


def ratio_skill(error, baseline):
    if error is None or baseline is None:
        return None
    if baseline == 0:
        return 1.0 if error == 0 else None
    return 1 - error / baseline


def skills(library, fields, baseline, weights, shared):
    """The network's skill and the plain one. `shared`: one mask for both errors, else each error has that of its pair."""
    f, o, r = fields["forecast"], fields["truth"], fields[baseline]
    if shared:
        known = np.isfinite(f) & np.isfinite(o) & np.isfinite(r)
        f, o, r = (np.where(known, values, np.nan) for values in (f, o, r))
    reference = library.mse(r, o, weights)
    corrected = library.mse(f - np.nanmean(f - o), o, weights)
    return ratio_skill(corrected, reference), ratio_skill(library.mse(f, o, weights), reference)


def scores(library, case, convention):
    latitudes = np.array(case["latitudes"], dtype=float)
    shape = (len(latitudes), -1)
    names = ("forecast", "truth", "reference", "climatology")
    fields = {name: np.array(case[name], dtype=float).reshape(shape) for name in names}
    of_rows = cell_weights(latitudes) if convention == "weatherbench2" else np.cos(np.deg2rad(latitudes))
    weights = np.broadcast_to(of_rows[:, None], fields["truth"].shape).copy()
    if convention == "gaia":
        fields["forecast"] = np.where(np.isnan(fields["forecast"]), fields["climatology"], fields["forecast"])
    f, o, c = fields["forecast"], fields["truth"], fields["climatology"]
    whole = {name: bool(np.isfinite(values).all()) for name, values in fields.items()}
    result = {"mse": library.mse(f, o, weights), "mae": library.mae(f, o, weights), "bias": library.me(f, o, weights)}
    if convention == "gaia" and not case["isOnLevels"]:
        result["bias"] = float(np.nanmean(f - o))
    result["rmse"] = float(np.sqrt(result["mse"]))
    if convention == "weatherbench2":
        a, b = f - c, o - c
        norm = np.sqrt((weights * a * a).sum() * (weights * b * b).sum())
        result["acc"] = float((weights * a * b).sum() / norm)
    else:
        result["acc"] = library.pearson_r(f - c, o - c, weights)
    for baseline, name in (("reference", "Reference"), ("climatology", "Climatology")):
        skill, plain = skills(library, fields, baseline, weights, shared=convention == "barograph")
        if convention == "weatherbench2":
            skill = ratio_skill(result["rmse"], np.sqrt(library.mse(fields[baseline], o, weights)))
        result[f"skillScore{name}"], result[f"plainSkill{name}"] = skill, plain
    if convention == "weatherbench2":
        needs = {"Reference": ("reference",), "Climatology": ("climatology",), "acc": ("climatology",)}
        for key in result:
            other = next((fields for end, fields in needs.items() if key.endswith(end)), ())
            if not all(whole[name] for name in ("forecast", "truth", *other)):
                result[key] = None
    return {key: None if value is None else float(value) for key, value in result.items()}


def make_cases():
    random = np.random.default_rng(15)

    def field(shape, spread, gaps=0):
        values = 280 + np.round(random.normal(0, spread, shape) * 64) / 64
        values.ravel()[random.choice(values.size, gaps, replace=False)] = np.nan
        return [None if np.isnan(value) else float(value) for value in values.ravel()]

    def case(name, latitudes, columns, on_levels, gaps=0):
        shape = (len(latitudes), columns)
        values = {part: field(shape, spread) for part, spread in (("truth", 4), ("reference", 5), ("climatology", 3))}
        values["forecast"] = field(shape, 4, gaps)
        return {"name": name, "isOnLevels": on_levels, "latitudes": latitudes, **values}

    cases = [
        case("a globe from pole to pole, on a level", [90, 60, 30, 0, -30, -60, -90], 8, True),
        case("a region from south to north, at the surface", [50, 52.5, 55, 57.5, 60], 6, False),
        case("a forecast with gaps, at the surface", [75, 45, 15, -15, -45, -75], 7, False, gaps=5),
        case("a reference with gaps", [60, 50, 40, 30], 6, True),
        case("a reference without error", [10, 0, -10], 4, True),
    ]
    cases[3]["reference"] = field((4, 6), 5, gaps=4)
    cases[4]["reference"] = cases[4]["truth"]
    return cases


def main():
    if sys.argv[1:] == ["make"]:
        cases = make_cases()
        for case in cases:
            case["expected"] = {name: scores(Numpy(), case, name) for name in CONVENTIONS}
        print("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]")
        return
    cases = json.loads(sys.stdin.readline())
    print(json.dumps([{name: scores(Xskillscore(), case, name) for name in CONVENTIONS} for case in cases]))


main()
