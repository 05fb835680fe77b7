"""Scenarios judged by the workers of a Dask cluster, with the results of one machine."""
