"""Export of datasets to the formats of other programs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from physlearn.files import refuse_link, replacing


def export(dataset, path: Path) -> Path:
    """Write a dataset in the format of the file's suffix; an existing file is replaced.

    Raises
    ------
    ValueError
        A suffix that names no format.
    OSError
        A path that cannot be written, or is a symbolic link.
    ImportError
        The packages of the extra ``export`` are missing.
    """
    refuse_link(path)
    if path.suffix == ".nc":
        _without_complex(dataset).to_netcdf(path, engine="h5netcdf")
    elif path.suffix == ".zarr":
        _needs("zarr")
        _without_complex(dataset).to_zarr(
            path, mode="w", zarr_format=2
        )  # readable everywhere; strings are no part of 3
    elif path.suffix == ".parquet":
        _needs("pyarrow")
        table(dataset).to_parquet(path, index=False)
    elif path.suffix == ".csv":
        with replacing(path) as file:
            file.write(table(dataset).to_csv(index=False).encode())
    else:
        raise ValueError(f"{path}: suffix {path.suffix!r}, expected .nc (netCDF 4), .zarr, .parquet or .csv")
    return path


def table(dataset):
    """Parameters, status and scalar results as a pandas.DataFrame, a row a replicate."""
    status = dataset["status"]
    scalars = [name for name, v in dataset.data_vars.items() if v.dims == status.dims]
    frame = _without_complex(dataset[scalars]).to_dataframe().reset_index()
    frame["status"] = np.array(status.attrs["flag_meanings"].split())[frame["status"]]
    return frame


def _without_complex(dataset):
    """Complex results as NAME_real and NAME_imag, which every format can hold; other names if these are taken."""
    for name, v in list(dataset.data_vars.items()):
        if v.dtype.kind == "c":
            end = ""
            while {f"{name}_real{end}", f"{name}_imag{end}"} & {*dataset.variables, *dataset.dims}:
                end += "_"
            dataset = dataset.assign({f"{name}_real{end}": v.real, f"{name}_imag{end}": v.imag}).drop_vars(name)
    return dataset


def _needs(package):
    import importlib.util

    if importlib.util.find_spec(package) is None:
        raise ImportError(f"{package} is not installed: pip install 'physlearn-sim[export]'")
