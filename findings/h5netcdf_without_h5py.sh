#!/usr/bin/env bash
# h5netcdf 1.8.2 with xarray 2026.9.0: installing both no longer brings h5py, and a dataset cannot be written to netCDF.
# Earlier releases of h5netcdf depended on h5py; now it is one of two readers, and the only writer.
# Seen: ds.to_netcdf("x.nc", engine="h5netcdf") ends with an error that names h5py; with h5py installed it writes.
# Here: h5py is a dependency of its own, and CI writes netCDF from an installation without extras.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q 'h5netcdf==1.8.2' 'xarray==2026.9.0' 'numpy==2.3.5'
cd "$folder"
cat > seen.py <<'PY'
import xarray

try:
    xarray.Dataset({"x": ("t", [1.0, 2.0])}).to_netcdf("x.nc", engine="h5netcdf")
    print("written")
except Exception as error:
    print(type(error).__name__, "-", "h5py" if "h5py" in str(error) else error)
PY
first=$(venv/bin/python seen.py)
venv/bin/pip install -q 'h5py==3.16.0'
second=$(venv/bin/python seen.py)
echo "without h5py: $first; with it: $second"
[[ $first == *h5py* && $second == written ]] || { echo "the behaviour has changed"; exit 1; }
