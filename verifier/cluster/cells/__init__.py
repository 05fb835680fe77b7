"""The cells of one large system, simulated by the workers of a Dask cluster as actors."""
