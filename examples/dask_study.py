"""A study on a cluster: the same call, and the same bits, with an executor of dask.

It needs `pip install "physlearn-sim[dask]"`.  For a queue, replace LocalCluster by dask_jobqueue.SLURMCluster or
PBSCluster; see docs/STUDIES.md.
"""

from dask.distributed import Client, LocalCluster

from physlearn.study import grid, study


def main():
    scan = grid(size=[8, 16], temperature=[1.5, 2.0, 2.25, 2.5, 3.0], draws=500)
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        executor = client.get_executor(pure=False)
        there = study("physlearn.tasks:ising", scan, store="dask", replicates=3, executor=executor, workers=2)
    here = study("physlearn.tasks:ising", scan, store="local", replicates=3)
    print(there)
    print(there.to_dataset()["binder"].mean("replicate").round(3).to_pandas())
    print("the same as on this machine:", there.to_dataset().equals(here.to_dataset()))
    print("report:", there.report())


if __name__ == "__main__":  # dask starts its workers by importing this file
    main()
