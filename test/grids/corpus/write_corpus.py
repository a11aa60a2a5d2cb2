"""Writes stores.json.gz beside this file: small Zarr stores as people write them, with the scores that they should give.

Run it twice, once with zarr 2 and once with zarr 3; each run replaces the stores of its own version:

    python3 -m venv v2 && v2/bin/pip install 'zarr<3' 'numcodecs<0.16' 'xarray<2025' numpy cftime
    python3 -m venv v3 && v3/bin/pip install 'zarr>=3' xarray numpy cftime
    v2/bin/python write_corpus.py && v3/bin/python write_corpus.py

Each store holds what one program of the field writes (xarray, cfgrib, the Climate Data Store, WeatherBench 2, ARCO-ERA5,
dynamical.org, conversions of netCDF and HDF5) and differs from the plain one by one property. The scores are computed here, in
numpy in double precision, from the values that the property leaves of the fields; no code of Barograph takes part. Where xarray
opens a store without options, its values are compared with these as well.
"""

import base64
import gzip
import json
import pathlib
import shutil
import tempfile
import warnings

import numcodecs
import numpy as np
import xarray as xr
import zarr

warnings.filterwarnings("ignore")
CORPUS = pathlib.Path(__file__).with_name("stores.json.gz")
VERSION = int(zarr.__version__.split(".")[0])
LAT = np.arange(90.0, -91.0, -30.0)
LON = np.arange(0.0, 360.0, 30.0)
LEVELS = np.array([850, 500])
TIMES = np.array(["2019-03-06T00", "2019-03-06T12"], "datetime64[ns]")
# Mean, amplitude.
SURFACE = {"2t": (285.0, 12.0), "msl": (101000.0, 900.0)}
UPPER = {"t": (250.0, 10.0), "z": (54000.0, 900.0)}


class Fields(dict):
    """Variables by short name, (time, [level,] lat, lon), with their axes."""

    def __init__(self, values, times=TIMES, lat=LAT, lon=LON, levels=LEVELS):
        super().__init__(values)
        self.times, self.lat, self.lon, self.levels = times, lat, lon, levels

    def map(self, change, only=None):
        values = {k: (change(v) if only is None or k in only else v) for k, v in self.items()}
        return Fields(values, self.times, self.lat, self.lon, self.levels)

    def only(self, *names):
        return Fields({k: v for k, v in self.items() if k in names}, self.times, self.lat, self.lon, self.levels)


def f32(values):
    return np.asarray(values, "f4")


def make(seed, error, of=None):
    rng = np.random.default_rng(seed)
    values = {}
    for table, shape in ((SURFACE, (2, 7, 12)), (UPPER, (2, 2, 7, 12))):
        for name, (mean, amplitude) in table.items():
            noise = rng.standard_normal(shape)
            base = mean + np.zeros(shape) if of is None else of[name].astype("f8")
            values[name] = f32(base + amplitude * error * (noise + (0.3 if of is not None else 0)))
    return Fields(values)


TRUTH = make(1, 1.0)
CLIMATOLOGY = make(2, 0.3)
REFERENCE = make(3, 0.4, TRUTH)
FORECAST = make(4, 0.2, TRUTH)


# --- scores -----------------------------------------------------------------------------------------------------------


def on_grid(field, fields, grid):
    """The field of a store at the points of the truth; NaN where it has none."""
    rows = [np.flatnonzero(np.isclose(fields.lat, lat)) for lat in grid.lat]
    columns = [np.flatnonzero(np.isclose((fields.lon - lon) % 360 % 360, 0) | np.isclose((fields.lon - lon) % 360, 360)) for lon in grid.lon]
    out = np.full((len(rows), len(columns)), np.nan)
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            if len(row) and len(column):
                out[i, j] = field[row[0], column[0]]
    return out


def mean_of(w, x):
    ok = np.isfinite(x)
    return float((w * np.where(ok, x, 0)).sum() / (w * ok).sum()) if ok.any() else None


def skill(f, o, r, w, shared):
    ok = np.isfinite(f) & np.isfinite(o) & (np.isfinite(r) if shared else True)
    e = np.where(ok, f - o, np.nan)
    if not np.isfinite(e).any():
        return None
    against = np.where(ok, r - o, np.nan) if shared else r - o
    return 1 - mean_of(w, (e - np.nanmean(e)) ** 2) / mean_of(w, against**2)


def acc(f, o, c, w):
    ok = np.isfinite(f) & np.isfinite(o) & np.isfinite(c)
    if not ok.any():
        return None
    w, a, b = w[ok], (f - c)[ok], (o - c)[ok]
    a, b = a - (w * a).sum() / w.sum(), b - (w * b).sum() / w.sum()
    return float((w * a * b).sum() / np.sqrt((w * a * a).sum() * (w * b * b).sum()))


def scores(forecast, truth, reference, climatology):
    rows = []
    w = np.cos(np.deg2rad(truth.lat))[:, None] * np.ones(len(truth.lon))
    for t, time in enumerate(truth.times):
        for name in truth:
            levels = list(enumerate(truth.levels)) if name in UPPER else [(None, None)]
            for k, level in levels:
                def get(store):
                    at = np.flatnonzero(store.times == time)
                    if name not in store or not len(at):
                        return None
                    field = store[name][at[0]]
                    if level is not None:
                        place = np.flatnonzero(store.levels == level)
                        if not len(place):
                            return None
                        field = field[place[0]]
                    return on_grid(field.astype("f8"), store, truth)

                f, o, r, c = get(forecast), get(truth), get(reference), get(climatology)
                if f is None:
                    continue
                e = f - o
                mse = mean_of(w, e * e)
                row = {
                    "valid_time_utc": str(time.astype("datetime64[s]")) + "Z",
                    "variable": name,
                    "mse": mse,
                    "rmse": None if mse is None else float(np.sqrt(mse)),
                    "mae": mean_of(w, abs(e)),
                    "bias": mean_of(w, e),
                    "acc": acc(f, o, c, w),
                    "skill_score_gfs": skill(f, o, r, w, False),
                    "skill_score_climatology": skill(f, o, c, w, False),
                    "coverage": float(np.isfinite(e).sum() / np.isfinite(o).sum()),
                }
                if np.isnan(f).any() and mse is not None:
                    row["skill_score_gfs_on_shared_points"] = skill(f, o, r, w, True)
                    row["skill_score_climatology_on_shared_points"] = skill(f, o, c, w, True)
                if level is not None:
                    row["pressure_level"] = int(level)
                rows.append(row)
    return rows


# --- writing ----------------------------------------------------------------------------------------------------------


def dataset(fields=FORECAST, time="time", level="level", lat="latitude", lon="longitude", names=None, units=True):
    names = names or {}
    unit = {"2t": "K", "msl": "Pa", "t": "K", "z": "m**2 s**-2"}
    variables = {}
    for name, values in fields.items():
        dims = (time, level, lat, lon) if name in UPPER else (time, lat, lon)
        variables[names.get(name, name)] = (dims, values, {"units": unit[name]} if units else {})
    coords = {time: fields.times, lat: fields.lat, lon: fields.lon}
    if any(name in UPPER for name in fields):
        coords[level] = (level, fields.levels, {"units": "hPa"})
    return xr.Dataset(variables, coords)


CDS = {"2t": "t2m"}
WB2 = {"2t": "2m_temperature", "msl": "mean_sea_level_pressure", "t": "temperature", "z": "geopotential"}
FIELDS = [*SURFACE, *UPPER]


class Store:
    """A store in a folder of its own, and the fields that it should give."""

    def __init__(self, fields=FORECAST, check=True):
        self.fields, self.check = fields, check
        self.path = pathlib.Path(tempfile.mkdtemp()) / "s.zarr"

    def xarray(self, data, encoding=None, consolidated=False, zarr_format=None):
        options = {"zarr_format": zarr_format or VERSION} if VERSION == 3 else {}
        known = {k: v for k, v in (encoding or {}).items() if k in data}
        data.to_zarr(self.path, mode="w", consolidated=consolidated, encoding=known, **options)
        return self

    def edit(self, name, change):
        path = self.path / name
        document = json.loads(path.read_text()) if path.exists() else {}
        change(document)
        path.write_text(json.dumps(document))
        return self

    def attributes(self, array, **values):
        if VERSION == 3:
            return self.edit(f"{array}/zarr.json", lambda document: document["attributes"].update(values))
        return self.edit(f"{array}/.zattrs", lambda document: document.update(values))

    def put(self, name, values, dims, attributes=None, **options):
        """An array by the zarr library itself."""
        if VERSION == 2:
            group = zarr.open_group(str(self.path), mode="a")
            array = group.create_dataset(name, shape=values.shape, dtype=options.pop("dtype", values.dtype), overwrite=True, **options)
            array.attrs["_ARRAY_DIMENSIONS"] = list(dims)
        else:
            group = zarr.open_group(str(self.path), mode="a", zarr_format=3)
            array = group.create_array(name, shape=values.shape, dtype=options.pop("dtype", values.dtype), dimension_names=dims, overwrite=True, **options)
        array.attrs.update(attributes or {})
        array[...] = values
        return self

    def files(self):
        found = sorted(p for p in self.path.rglob("*") if p.is_file())
        return {str(p.relative_to(self.path)): base64.b64encode(p.read_bytes()).decode() for p in found}


CASES = []


def case(group, text, only=None, error=None):
    """Registers a function that returns the forecast, or stores by role."""

    def add(function):
        if only in (None, VERSION):
            CASES.append((function.__name__.rstrip("0123456789_").replace("_", "-"), group, text, error, function))
        return function

    return add


def each(group, table, only=None):
    """Registers one case for each line of a table: name, text, function."""
    for name, text, function in table:
        if only in (None, VERSION):
            CASES.append((name, group, text, None, function))


def masked(fields, value, mark=np.nan):
    """A seventh of the points are absent."""

    def change(v):
        v = v.copy()
        v.reshape(-1)[::7] = mark
        return v

    return fields.map(change)


# --- absent values ----------------------------------------------------------------------------------------------------


def with_fill(mark):
    def write():
        gaps = masked(FORECAST, mark)
        store = Store(gaps)
        data = dataset(masked(FORECAST, mark, mark))
        store.xarray(data.drop_vars(FIELDS))
        for name in FIELDS:
            store.put(name, data[name].values, data[name].dims, fill_value=np.float32(mark))
        return store

    return write


each("Absent values", [
    ("fill-value", "the array's fill_value -9999 marks absent values", with_fill(-9999.0)),
    ("fill-netcdf", "the default fill value of netCDF, 9.969e36", with_fill(9.969209968386869e36)),
    ("fill-zero", "the fill_value 0 of floats is a mark in format 2, as xarray takes it", with_fill(0.0)),
], only=2)


@case("Absent values", "chunks that were never written hold the fill value", only=2)
def chunks_never_written():
    gaps = FORECAST.map(lambda v: np.where(np.arange(12) < 6, v, np.nan).astype("f4"))
    store = Store(gaps).xarray(dataset(FORECAST).drop_vars(FIELDS))
    for name in FIELDS:
        values = FORECAST[name]
        dims = ("time", "level", "latitude", "longitude")[: 4] if name in UPPER else ("time", "latitude", "longitude")
        store.put(name, values, dims, fill_value=np.float32("nan"), chunks=(*values.shape[:-1], 6))
        (store.path / name / ".".join(["0"] * (values.ndim - 1) + ["1"])).unlink()
    return store


@case("Absent values", "chunks that were never written, format 3", only=3)
def chunks_never_written_3():
    gaps = FORECAST.map(lambda v: np.where(np.arange(12) < 6, v, np.nan).astype("f4"))
    store = Store(gaps).xarray(dataset(FORECAST).drop_vars(FIELDS))
    for name in FIELDS:
        values = FORECAST[name]
        dims = ("time", "level", "latitude", "longitude") if name in UPPER else ("time", "latitude", "longitude")
        store.put(name, values, dims, fill_value=np.float32("nan"), chunks=(*values.shape[:-1], 6))
        (store.path / name / "c" / "/".join(["0"] * (values.ndim - 1) + ["1"])).unlink()
    return store


def with_marks(attributes, mark):
    def write():
        store = Store(masked(FORECAST, mark))
        data = dataset(masked(FORECAST, mark, mark))
        for name in FIELDS:
            data[name].encoding["_FillValue"] = None
        store.xarray(data)
        for name in FIELDS:
            store.attributes(name, **attributes)
            if VERSION == 2:
                store.edit(f"{name}/.zarray", lambda d: d.update(fill_value=None))
        return store

    return write


each("Absent values", [
    ("missing-value", "attribute missing_value", with_marks({"missing_value": -999.0}, -999.0)),
    ("missing-value-list", "a list of marks in missing_value", with_marks({"missing_value": [-888.0, -999.0]}, -999.0)),
])


def packed(dtype, scale, offset, mark, **attributes):
    """Packed 2t and t; the other variables stay as they are."""

    def write():
        gaps = masked(FORECAST.only("2t", "t"), mark)
        stored = gaps.map(lambda v: np.round((np.nan_to_num(v.astype("f8"), nan=offset) - offset) / scale))
        back = stored.map(lambda v: f32(v * scale + offset))
        fields = masked(back, mark)
        data = dataset(stored)
        for name in ("2t", "t"):
            values = np.where(np.isnan(gaps[name]), mark, stored[name]).astype(attributes.get("as_type", dtype))
            data[name] = (data[name].dims, values.view(dtype), data[name].attrs)
            data[name].encoding["_FillValue"] = None
        store = Store(fields, check=attributes.get("check", True)).xarray(data)
        extra = {k: v for k, v in attributes.items() if k not in ("as_type", "check", "fill")}
        fill = attributes.get("fill", mark)
        for name in ("2t", "t"):
            wrap = [scale], [offset] if attributes.get("lists") else (scale, offset)
            scales = dict(scale_factor=[scale], add_offset=[offset]) if "lists" in attributes else dict(scale_factor=scale, add_offset=offset)
            store.attributes(name, **scales, **({k: v for k, v in extra.items() if k != "lists"}), **({"_FillValue": fill} if VERSION == 2 or True else {}))
            if VERSION == 2:
                store.edit(f"{name}/.zarray", lambda d: d.update(fill_value=None))
        return store

    return write


each("Absent values", [
    ("packed-int16", "int16 with scale_factor, add_offset and _FillValue", packed("i2", 0.01, 270.0, -32768)),
    ("packed-int32", "int32, packed", packed("i4", 0.0001, 270.0, -(2**31))),
    ("packed-uint16", "uint16, packed", packed("u2", 0.002, 200.0, 65535)),
    ("packed-unsigned", "_Unsigned \"true\": int16 that stands for uint16, its mark as well", packed("i2", 0.002, 200.0, 65535, as_type="u2", _Unsigned="true", fill=-1)),
    ("packed-signed", "_Unsigned \"false\": uint16 that stands for int16", packed("u2", 0.01, 270.0, -32768, as_type="i2", _Unsigned="false", fill=32768, check=False)),
    ("packed-lists", "attributes that are lists of one number", packed("i2", 0.01, 270.0, -32768, lists=True, check=False)),
])


@case("Absent values", "_FillValue as xarray writes it in format 3 (base64)", only=3)
def fill_base_64():
    gaps = masked(FORECAST, -9999.0)
    return Store(gaps).xarray(dataset(gaps), {n: {"_FillValue": np.float32(-9999.0)} for n in FIELDS})


@case("Absent values", "the fill_value 0 of format 3 is no mark: zeros are values", only=3)
def fill_zero_3():
    zeros = masked(FORECAST, 0, 0.0)
    store = Store(zeros).xarray(dataset(zeros).drop_vars(FIELDS))
    for name in FIELDS:
        dims = ("time", "level", "latitude", "longitude") if name in UPPER else ("time", "latitude", "longitude")
        store.put(name, zeros[name], dims, fill_value=np.float32(0))
    return store


@case("Absent values", "coordinates have no absent values: the fill_value 0 of an axis hides no equator and no meridian", only=2)
def coordinate_fill():
    store = Store(FORECAST, check=False).xarray(dataset())
    for name in ("latitude", "longitude"):
        store.edit(f"{name}/.zarray", lambda d: d.update(fill_value=0.0))
    return store


# --- units ------------------------------------------------------------------------------------------------------------


def in_unit(name, unit, factor, offset=0.0):
    """The variable alone in another unit: stored = (value - offset) / factor."""

    def write():
        fields = FORECAST.only(name)
        stored = fields.map(lambda v: f32((v.astype("f8") - offset) / factor))
        data = dataset(stored)
        data[name].attrs["units"] = unit
        return Store(stored.map(lambda v: f32(v.astype("f8") * factor + offset)), check=False).xarray(data)

    return write


each("Units", [
    ("unit-degc", "degC for K", in_unit("2t", "degC", 1.0, 273.15)),
    ("unit-celsius", "celsius for K, upper air", in_unit("t", "celsius", 1.0, 273.15)),
    ("unit-degf", "degF for K", in_unit("2t", "degF", 5 / 9, 273.15 - 160 / 9)),
    ("unit-hpa", "hPa for Pa", in_unit("msl", "hPa", 100.0)),
    ("unit-mbar", "millibars for Pa", in_unit("msl", "millibars", 100.0)),
    ("unit-gpm", "geopotential height in gpm for geopotential", in_unit("z", "gpm", 9.80665)),
    ("unit-kelvin", "kelvin, written out", in_unit("2t", "kelvin", 1.0)),
    ("unit-power", "m^2 s^-2 for m2 s-2", in_unit("z", "m^2 s^-2", 1.0)),
])


@case("Units", "levels in Pa")
def level_pa():
    data = dataset()
    return Store(check=False).xarray(data.assign_coords(level=("level", LEVELS * 100.0, {"units": "Pa"})))


@case("Units", "levels in millibars")
def level_millibars():
    return Store().xarray(dataset().assign_coords(level=("level", LEVELS, {"units": "millibars"})))


@case("Units", "no units at all: those of the vocabulary")
def no_units():
    return Store().xarray(dataset(units=False))


# --- names ------------------------------------------------------------------------------------------------------------


def renamed(names, **axes):
    return lambda: Store().xarray(dataset(names=names, **axes))


each("Names", [
    ("names-wb2", "WeatherBench 2, ARCO-ERA5: 2m_temperature, mean_sea_level_pressure, temperature, geopotential", renamed(WB2)),
    ("names-cds", "the Climate Data Store: t2m, valid_time, pressure_level", renamed(CDS, time="valid_time", level="pressure_level")),
    ("names-cfgrib", "cfgrib: t2m, isobaricInhPa", renamed(CDS, level="isobaricInhPa")),
    ("names-cmip", "CMIP: tas, psl, ta, lat, lon, plev", renamed({"2t": "tas", "msl": "psl", "t": "ta"}, lat="lat", lon="lon", level="plev")),
    ("names-gfs", "GFS: prmsl, pressure", renamed({"2t": "t2m", "msl": "prmsl"}, level="pressure")),
    ("names-dynamical", "dynamical.org: temperature_2m, pressure_reduced_to_mean_sea_level", renamed({"2t": "temperature_2m", "msl": "pressure_reduced_to_mean_sea_level"})),
])


@case("Names", "a name that nobody knows, with the standard name of CF")
def names_standard():
    data = dataset(FORECAST.only("msl", "t"), names={"msl": "slp", "t": "airtemp"})
    data["slp"].attrs["standard_name"] = "air_pressure_at_mean_sea_level"
    data["airtemp"].attrs["standard_name"] = "air_temperature"
    return Store(FORECAST.only("msl", "t")).xarray(data, consolidated=True)


@case("Names", "the new Climate Data Store: scalar number, text expver, valid_time")
def cds_new():
    data = dataset(FORECAST.only(*SURFACE), names=CDS, time="valid_time")
    data = data.assign_coords(number=0, expver=("valid_time", np.array(["0001", "0001"], "U4")))
    return Store(FORECAST.only(*SURFACE)).xarray(data)


# --- shapes -----------------------------------------------------------------------------------------------------------

T0 = np.datetime64("2019-03-05T00", "ns")
LEADS = TIMES - T0


def from_start(time, lead, scalar, names=None):
    def write():
        data = dataset(time=lead, names=names)
        data = data.assign_coords({lead: (lead, LEADS)})
        if scalar:
            data = data.assign_coords({time: T0})
        else:
            data = data.expand_dims({time: [T0]})
        return data

    return write


def leads_in(unit, time="time", lead="prediction_timedelta", scalar=True, names=None):
    def write():
        data = from_start(time, lead, scalar, names)()
        return Store(check=False).xarray(data, {lead: {"units": unit, "dtype": "int64"}})

    return write


each("Shapes", [
    ("lead-hours", "one T0 (length 1) and prediction_timedelta in hours (WeatherBench 2)", leads_in("hours", scalar=False, names=WB2)),
    ("lead-nanoseconds", "one T0 (length 1) and prediction_timedelta in nanoseconds", leads_in("nanoseconds", scalar=False)),
    ("lead-scalar-start", "scalar T0 and prediction_timedelta", leads_in("hours")),
    ("lead-step", "cfgrib: scalar time and step in hours", leads_in("hours", lead="step")),
    ("lead-init-time", "init_time and lead_time in seconds (dynamical.org)", leads_in("seconds", "init_time", "lead_time", False)),
    ("lead-reference-time", "scalar forecast_reference_time and forecast_period in days and minutes", leads_in("minutes", "forecast_reference_time", "forecast_period")),
])


@case("Shapes", "cfgrib: scalar time, step, and valid_time beside them")
def lead_valid_time():
    data = from_start("time", "step", True)().assign_coords(valid_time=("step", TIMES))
    return Store(check=False).xarray(data, {"step": {"units": "hours", "dtype": "float64"}})


@case("Shapes", "several T0 of one lead")
def lead_scalar_step():
    data = dataset().assign_coords(time=TIMES - np.timedelta64(24, "h"), step=np.timedelta64(24, "h"))
    return Store(check=False).xarray(data)


def changed(change, fields=FORECAST, **options):
    return lambda: Store(fields, **options).xarray(change(dataset(fields)))


each("Shapes", [
    ("member-one", "a member dimension of length 1", changed(lambda d: d.expand_dims(number=[3], axis=1), check=False)),
    ("member-band", "members and bands of length 1, the last dimension among them", changed(lambda d: d.expand_dims("member").expand_dims("band", axis=-1), check=False)),
    ("member-scalar", "a scalar member", changed(lambda d: d.assign_coords(number=0, surface=0.0))),
    ("axes-longitude-first", "(…, longitude, latitude)", changed(lambda d: d.transpose("time", "level", "longitude", "latitude", missing_dims="ignore"))),
    ("axes-time-last", "(latitude, longitude, level, time)", changed(lambda d: d.transpose("latitude", "longitude", "level", "time"))),
    ("latitude-rising", "latitudes from south to north", changed(lambda d: d.isel(latitude=slice(None, None, -1)))),
    ("times-falling", "times in any order", changed(lambda d: d.isel(time=[1, 0]))),
    ("levels-rising", "levels in any order", changed(lambda d: d.isel(level=[1, 0]))),
    ("longitude-180", "longitudes from -180", changed(lambda d: d.assign_coords(longitude=(LON + 180) % 360 - 180).sortby("longitude"))),
    ("longitude-wrapped", "longitudes 0 … 150, -180 … -30", changed(lambda d: d.assign_coords(longitude=(LON + 180) % 360 - 180))),
    ("longitude-rolled", "longitudes 90 … 330, 0 … 60", changed(lambda d: d.roll(longitude=-3, roll_coords=True))),
    ("longitude-falling", "longitudes from east to west", changed(lambda d: d.isel(longitude=slice(None, None, -1)))),
    ("longitude-closed", "the first meridian again at 360", changed(lambda d: xr.concat([d, d.isel(longitude=[0]).assign_coords(longitude=[360.0])], "longitude"), check=False)),
])


@case("Shapes", "truth with the first meridian again at 360: it counts once")
def truth_closed():
    data = dataset(TRUTH)
    data = xr.concat([data, data.isel(longitude=[0]).assign_coords(longitude=[360.0])], "longitude")
    return {"forecast": Store().xarray(dataset()), "truth": Store(TRUTH, check=False).xarray(data)}


@case("Shapes", "a regional forecast across Greenwich: its coverage says so")
def regional():
    region = lambda d: d.assign_coords(longitude=(LON + 180) % 360 - 180).sortby("longitude").sel(longitude=slice(-60, 60), latitude=slice(60, 0))
    data = region(dataset())
    fields = Fields({n: data[n].values for n in FIELDS}, lat=data.latitude.values, lon=data.longitude.values)
    return Store(fields, check=False).xarray(data)


@case("Shapes", "one time as a scalar coordinate, no time dimension")
def scalar_time():
    data = dataset().isel(time=0)
    return Store(Fields({n: v[:1] for n, v in FORECAST.items()}, times=TIMES[:1]), check=False).xarray(data)


@case("Shapes", "a scalar valid_time beside T0 and step")
def scalar_valid_time():
    data = dataset().isel(time=1, drop=True).assign_coords(time=T0, step=LEADS[1], valid_time=TIMES[1])
    return Store(Fields({n: v[1:] for n, v in FORECAST.items()}, times=TIMES[1:]), check=False).xarray(data)


@case("Shapes", "one level as a scalar coordinate, no level dimension")
def scalar_level():
    data = dataset(FORECAST.only("t")).isel(level=1)
    return Store(Fields({"t": FORECAST["t"][:, 1:]}, levels=LEVELS[1:]), check=False).xarray(data)


@case("Shapes", "times that are made before they are filled (NaT) are left out")
def times_nat():
    data = dataset(FORECAST).reindex(time=[*TIMES, np.datetime64("NaT")])
    store = Store(FORECAST, check=False).xarray(data, {"time": {"units": "hours since 1970-01-01", "dtype": "int64", "_FillValue": -(2**63)}})
    return store


def climatology(change=lambda d: d):
    """The climatology of each day and hour, WeatherBench 2: its fields of 6 March are the plain ones."""
    days, hours = np.array([64, 65, 66]), np.array([0, 12])
    data = {}
    for name, values in CLIMATOLOGY.items():
        by_day = np.stack([values - 5, values, values + 5], axis=1)
        dims = ("hour", "dayofyear", "level", "latitude", "longitude") if name in UPPER else ("hour", "dayofyear", "latitude", "longitude")
        data[WB2[name]] = (dims, f32(by_day))
    coords = {"hour": hours, "dayofyear": days, "level": LEVELS, "latitude": LAT, "longitude": LON}
    found = change(xr.Dataset(data, coords))
    return {"forecast": Store().xarray(dataset()), "climatology": Store(CLIMATOLOGY, check=False).xarray(found)}


each("Shapes", [
    ("climatology-hour-day", "climatology by hour and dayofyear (WeatherBench 2)", climatology),
    ("climatology-day-hour", "climatology by dayofyear and hour, longitude before latitude", lambda: climatology(lambda d: d.transpose("dayofyear", "hour", "level", "longitude", "latitude"))),
])

# --- time -------------------------------------------------------------------------------------------------------------


def since(units, dtype="float64", **extra):
    def write():
        store = Store(check=extra.pop("check", True)).xarray(dataset(), {"time": {"units": extra.pop("as_units", units), "dtype": dtype, **extra}})
        return store.attributes("time", units=units)

    return write


each("CF time", [
    ("since-1800", "hours since 1800-01-01 00:00:0.0", since("hours since 1800-01-01 00:00:0.0", as_units="hours since 1800-01-01")),
    ("since-short", "hours since 1900-1-1 0:0:0", since("hours since 1900-1-1 0:0:0", as_units="hours since 1900-01-01")),
    ("since-hour", "hours since 1900-01-01 00", since("hours since 1900-01-01 00", as_units="hours since 1900-01-01", check=False)),
    ("since-zone", "hours since 1900-01-01 00:00:00 +0:00", since("hours since 1900-01-01 00:00:00 +0:00", as_units="hours since 1900-01-01", check=False)),
    ("since-days", "days as fractions", since("days since 1970-01-01")),
    ("since-seconds", "seconds since 1970-01-01T00:00:00Z, int32", since("seconds since 1970-01-01T00:00:00Z", "int32", as_units="seconds since 1970-01-01")),
    ("since-minutes", "minutes, int64", since("minutes since 2000-01-01", "int64")),
    ("since-ns", "nanoseconds, int64", since("nanoseconds since 1970-01-01", "int64")),
    ("since-standard", "calendar standard", since("hours since 1990-01-01", "int64", calendar="standard")),
])


@case("CF time", "datetime64[ns] of numpy, without units", only=2)
def numpy_times():
    store = Store(check=False).xarray(dataset().drop_vars("time"))
    return store.put("time", TIMES, ("time",))


@case("CF time", "datetime64[s] and timedelta64[h] of numpy", only=2)
def numpy_leads():
    store = Store(check=False).xarray(dataset(time="lead_time").drop_vars("lead_time"))
    store.put("init_time", np.array([T0]).astype("M8[s]").reshape(()), ())
    return store.put("lead_time", LEADS.astype("m8[h]"), ("lead_time",))


# --- format -----------------------------------------------------------------------------------------------------------


@case("Format", "a bare NaN and Infinity in attributes, as Python writes them")
def bare_nan():
    store = Store().xarray(dataset())
    for name in FIELDS:
        store.attributes(name, missing_value=float("nan"), valid_max=float("inf"), valid_min=float("-inf"))
    return store


@case("Format", "consolidated metadata")
def consolidated():
    data = dataset()
    for name in FIELDS:
        data[name].attrs["valid_max"] = float("inf")
    return Store().xarray(data, consolidated=True)


def typed(dtype, convert=None):
    def write():
        fields = FORECAST.only("2t", "t") if dtype.endswith("f2") else FORECAST
        stored = fields.map(lambda v: np.round(v).astype(dtype) if "i" in dtype or "u" in dtype else v.astype(dtype))
        store = Store(stored.map(f32)).xarray(dataset(stored).drop_vars(list(stored)))
        for name, values in stored.items():
            dims = ("time", "level", "latitude", "longitude") if name in UPPER else ("time", "latitude", "longitude")
            options = {"fill_value": None} if VERSION == 2 else {}
            store.put(name, values, dims, **options)
        return store

    return write


each("Format", [(f"type-{dtype[1:]}" + ("-big" if dtype[0] == ">" else ""), text, typed(dtype)) for dtype, text in (
    ("<f2", "float16"), ("<f8", "float64"), (">f4", "float32, big-endian"), ("<i4", "int32, not packed"), ("<i8", "int64, not packed"), ("<u4", "uint32, not packed"),
)])


def shaped(text_chunks, **options):
    def write():
        store = Store().xarray(dataset().drop_vars(FIELDS))
        for name, values in FORECAST.items():
            dims = ("time", "level", "latitude", "longitude") if name in UPPER else ("time", "latitude", "longitude")
            chunks = tuple(1 for _ in dims[:-2]) + text_chunks
            made = {key: (value(values, chunks) if callable(value) else value) for key, value in options.items()}
            store.put(name, values, dims, chunks=chunks, **made)
        return store

    return write


each("Format", [
    ("chunks-tiles", "fields cut into chunks that do not divide them", shaped((3, 5))),
    ("order-f", "column-major chunks", shaped((7, 12), order="F")),
    ("separator", "chunk keys with slashes in format 2", shaped((4, 12), dimension_separator="/")),
], only=2)


if VERSION == 3:
    from zarr.codecs import BloscCodec, GzipCodec, ShardingCodec, TransposeCodec, ZstdCodec, Crc32cCodec

    def sharded(inner, *codecs):
        def write():
            store = Store().xarray(dataset().drop_vars(FIELDS))
            for name, values in FORECAST.items():
                dims = ("time", "level", "latitude", "longitude") if name in UPPER else ("time", "latitude", "longitude")
                chunks = tuple(1 for _ in dims[:-2]) + inner
                shards = values.shape[:-2] + (8, 12)
                store.put(name, values, dims, chunks=chunks, shards=shards, compressors=list(codecs) or "auto")
            return store

        return write

    each("Format", [
        ("sharded", "sharding_indexed with chunks of a field each", sharded((4, 12))),
        ("sharded-tiles", "sharding_indexed with tiles", sharded((2, 6))),
        ("sharded-blosc", "sharding_indexed, blosc inside", sharded((4, 12), BloscCodec(cname="lz4"))),
        ("sharded-gzip", "sharding_indexed, gzip inside", sharded((4, 12), GzipCodec())),
        ("chunks-tiles", "fields cut into chunks that do not divide them", shaped((3, 5))),
        ("transpose", "transpose", shaped((7, 12), filters=lambda v, c: [TransposeCodec(order=tuple(reversed(range(v.ndim))))])),
        ("keys-v2", "chunk keys as in format 2", shaped((7, 12), chunk_key_encoding={"name": "v2", "separator": "."})),
    ])

    each("Codecs", [(name, text, shaped((7, 12), compressors=codec)) for name, text, codec in (
        ("codec-none", "none", None),
        ("codec-zstd", "zstd", [ZstdCodec(level=3, checksum=True)]),
        ("codec-gzip", "gzip", [GzipCodec()]),
        ("codec-blosc-zlib", "blosc with zlib and bit shuffle", [BloscCodec(cname="zlib", shuffle="bitshuffle")]),
        ("codec-blosc-blosclz", "blosc with blosclz", [BloscCodec(cname="blosclz", shuffle="noshuffle")]),
        ("codec-crc32c", "crc32c around gzip", [GzipCodec(), Crc32cCodec()]),
    )])

    import zarr.codecs.numcodecs as zn

    f4 = {"dtype": "<f4"}
    rounded = lambda digits: FORECAST.map(lambda v: numcodecs.Quantize(digits=digits, dtype="f4").encode(v).reshape(v.shape))

    def filtered(fields, names, **options):
        def write():
            store = Store(fields).xarray(dataset(fields).drop_vars(list(fields)))
            for name, values in FORECAST.items():
                if name not in names:
                    continue
                dims = ("time", "level", "latitude", "longitude") if name in UPPER else ("time", "latitude", "longitude")
                store.put(name, values, dims, **options)
            return store

        return write

    scaled = FORECAST.only("2t", "t").map(lambda v: f32(np.around((v - np.float32(250)) * np.float32(100)).astype("i2") / 100 + 250))
    each("Codecs", [
        ("codec-bz2", "bz2", shaped((7, 12), compressors=[zn.BZ2(level=5)])),
        ("codec-lz4", "lz4", shaped((7, 12), compressors=[zn.LZ4(acceleration=1)])),
        ("codec-zlib", "zlib", shaped((7, 12), compressors=[zn.Zlib(level=5)])),
        ("codec-shuffle", "shuffle, zlib", shaped((7, 12), compressors=[zn.Shuffle(elementsize=4), zn.Zlib(level=5)])),
        ("filter-fixedscaleoffset", "fixedscaleoffset to i2", filtered(scaled, ("2t", "t"), filters=[zn.FixedScaleOffset(offset=250, scale=100, dtype="<f4", astype="<i2")])),
        ("filter-quantize", "quantize", filtered(rounded(1), FIELDS, filters=[zn.Quantize(digits=1, dtype="<f4")])),
    ])
else:
    blosc = numcodecs.Blosc

    each("Codecs", [(name, text, shaped((7, 12), compressor=codec)) for name, text, codec in (
        ("codec-none", "none", None),
        ("codec-blosc-lz", "blosc with lz4", blosc(cname="lz4")),
        ("codec-blosc-zstd", "blosc with zstd and bit shuffle", blosc(cname="zstd", shuffle=blosc.BITSHUFFLE)),
        ("codec-blosc-lz4hc", "blosc with lz4hc", blosc(cname="lz4hc", shuffle=blosc.NOSHUFFLE)),
        ("codec-zstd", "zstd", numcodecs.Zstd(level=3)),
        ("codec-lz4", "lz4", numcodecs.LZ4()),
        ("codec-zlib", "zlib", numcodecs.Zlib(level=5)),
        ("codec-gzip", "gzip", numcodecs.GZip(level=5)),
        ("codec-bz2", "bz2", numcodecs.BZ2(level=5)),
    )])

    def filtered(fields, names, *filters):
        def write():
            store = Store(fields).xarray(dataset(fields).drop_vars(list(fields)))
            for name, values in FORECAST.items():
                if name not in names:
                    continue
                dims = ("time", "level", "latitude", "longitude") if name in UPPER else ("time", "latitude", "longitude")
                store.put(name, values, dims, filters=list(filters), fill_value=None)
            return store

        return write

    scaled = FORECAST.only("2t", "t").map(lambda v: f32(np.around((v - np.float32(250)) * np.float32(100)).astype("i2") / 100 + 250))
    quantized = FORECAST.map(lambda v: numcodecs.Quantize(digits=1, dtype="f4").encode(v).reshape(v.shape))
    kept = FORECAST.map(lambda v: numcodecs.BitRound(keepbits=10).encode(v).view("f4").reshape(v.shape))
    halves = FORECAST.only("2t", "t").map(lambda v: f32(v.astype("i2")))
    each("Codecs", [
        ("filter-shuffle", "shuffle", filtered(FORECAST, FIELDS, numcodecs.Shuffle(elementsize=4))),
        ("filter-fixedscaleoffset", "fixedscaleoffset to i2", filtered(scaled, ("2t", "t"), numcodecs.FixedScaleOffset(offset=250, scale=100, dtype="<f4", astype="<i2"))),
        ("filter-quantize", "quantize", filtered(quantized, FIELDS, numcodecs.Quantize(digits=1, dtype="<f4"))),
        ("filter-bitround", "bitround", filtered(kept, FIELDS, numcodecs.BitRound(keepbits=10))),
        ("filter-astype", "astype, stored as i2", filtered(halves, ("2t", "t"), numcodecs.AsType(encode_dtype="<i2", decode_dtype="<f4"))),
    ])

    # Integers, so that differences are exact.
    @case("Codecs", "delta of integers", only=2)
    def filter_delta():
        whole = FORECAST.only("2t", "t").map(lambda v: np.round(v).astype("i4"))
        store = Store(whole.map(f32)).xarray(dataset(whole).drop_vars(list(whole)))
        for name, values in whole.items():
            dims = ("time", "level", "latitude", "longitude") if name in UPPER else ("time", "latitude", "longitude")
            store.put(name, values, dims, filters=[numcodecs.Delta(dtype="<i4")], fill_value=None)
        return store


# --- refused ----------------------------------------------------------------------------------------------------------


@case("Refused", "three members", error="dimensions")
def members():
    return Store(check=False).xarray(dataset().expand_dims(number=[0, 1, 2]))


@case("Refused", "several T0 and several leads", error="2 T0 (time) and 2 leads (prediction_timedelta)")
def starts():
    data = dataset(time="prediction_timedelta").assign_coords(prediction_timedelta=LEADS)
    data = data.expand_dims(time=[T0, T0 + np.timedelta64(12, "h")])
    return Store(check=False).xarray(data)


@case("Refused", "a calendar that is not that of the weather (noleap)", error='Calendar "noleap" is not supported')
def noleap():
    store = Store(check=False).xarray(dataset(), {"time": {"units": "days since 1970-01-01", "dtype": "float64"}})
    return store.attributes("time", calendar="noleap")


@case("Refused", "a unit that is none of the variable", error='has units "m"; for 2t these are allowed: K, degC, degF')
def wrong_unit():
    data = dataset(FORECAST.only("2t"))
    data["2t"].attrs["units"] = "m"
    return Store(check=False).xarray(data)


@case("Refused", "levels in Pa without units", error="It has no units, which are taken as hPa; write them")
def level_without_units():
    return Store(check=False).xarray(dataset().assign_coords(level=("level", LEVELS * 100.0)))


@case("Refused", "a codec that is not read (lzma)", only=2, error='codec or filter "lzma", which is not read')
def codec_lzma():
    return Store(check=False).xarray(dataset(), {n: {"compressor": numcodecs.LZMA()} for n in FIELDS})


@case("Refused", "none of the variables", error=", precipitation")
def other_variable():
    data = dataset(FORECAST.only("2t"), names={"2t": "precipitation"})
    return Store(check=False).xarray(data, consolidated=True)


# --- all --------------------------------------------------------------------------------------------------------------


def compare_with_xarray(name, store):
    """What xarray opens without options is what the scores are made of."""
    data = xr.open_zarr(store.path, consolidated=False) if not (store.path / ".zmetadata").exists() else xr.open_zarr(store.path)
    names = {**{n: n for n in FIELDS}, **{}}
    for short, values in store.fields.items():
        found = next((data[n] for n in (short, WB2[short], CDS.get(short, short), "tas", "psl", "ta", "prmsl", "temperature_2m", "pressure_reduced_to_mean_sea_level", "slp", "airtemp") if n in data and (data[n].ndim == values.ndim) and n_is(short, n)), None)
        assert found is not None, (name, short, list(data))
        aligned = found
        dims = {d: d for d in found.dims}
        time = next(d for d in found.dims if "time" in d)
        lat = next(d for d in found.dims if d.startswith("lat"))
        lon = next(d for d in found.dims if d.startswith("lon"))
        level = [d for d in found.dims if d not in (time, lat, lon)]
        aligned = found.transpose(time, *level, lat, lon).sel({lat: store.fields.lat})
        aligned = aligned.sortby(time)
        if level:
            aligned = aligned.sel({level[0]: store.fields.levels})
        aligned = aligned.assign_coords({lon: aligned[lon] % 360}).sel({lon: store.fields.lon})
        np.testing.assert_allclose(aligned.values, values, rtol=2e-6, atol=1e-3, err_msg=f"{name} {short}")


def n_is(short, n):
    table = {"2t": ("2t", "t2m", "tas", "temperature_2m", "2m_temperature"), "msl": ("msl", "psl", "prmsl", "pressure_reduced_to_mean_sea_level", "mean_sea_level_pressure", "slp"), "t": ("t", "ta", "temperature", "airtemp"), "z": ("z", "geopotential")}
    return n in table[short]


def pack():
    common = {"truth": TRUTH, "reference": REFERENCE, "climatology": CLIMATOLOGY}
    found, failed = [], []
    for name, group, text, error, function in CASES:
        try:
            made = function()
        except Exception as problem:
            failed.append(f"{name}: {type(problem).__name__}: {problem}")
            continue
        stores = {"forecast": made} if isinstance(made, Store) else made
        fields = {**common, **{role: store.fields for role, store in stores.items()}}
        for store in stores.values():
            if not store.check:
                continue
            try:
                compare_with_xarray(name, store)
            except Exception as problem:
                failed.append(f"{name}, by xarray: {type(problem).__name__}: {problem}")
        expected = {"error": error} if error else {"scores": scores(fields["forecast"], fields["truth"], fields["reference"], fields["climatology"])}
        found.append({
            "name": f"{name}-v{VERSION}", "group": group, "property": text, "format": VERSION,
            "stores": {role: store.files() for role, store in stores.items()}, **expected,
        })
        for store in stores.values():
            shutil.rmtree(store.path.parent)
    if failed:
        raise SystemExit("\n".join(failed))
    return found


def main():
    corpus = json.loads(gzip.decompress(CORPUS.read_bytes())) if CORPUS.exists() else {"common": {}, "cases": []}
    cases = pack()
    if VERSION == 2:
        plain = {"truth": TRUTH, "reference": REFERENCE, "climatology": CLIMATOLOGY}
        corpus["common"] = {role: Store(fields).xarray(dataset(fields)).files() for role, fields in plain.items()}
    others = [one for one in corpus["cases"] if one["format"] != VERSION]
    corpus["cases"] = sorted([*others, *cases], key=lambda one: (one["format"], one["group"]))
    CORPUS.write_bytes(gzip.compress(json.dumps(corpus).encode(), mtime=0))
    print(len(cases), "stores of zarr", zarr.__version__, "·", len(corpus["cases"]), "in all ·", CORPUS.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
