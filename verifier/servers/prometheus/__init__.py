"""A throwaway Prometheus: process, client, health; callers need only what is named here."""

from verifier.servers.prometheus.client import (
    QueryError,
    RangeQuery,
    RefusedQueryError,
    Series,
)
from verifier.servers.prometheus.server import Prometheus

__all__ = ["Prometheus", "QueryError", "RangeQuery", "RefusedQueryError", "Series"]
