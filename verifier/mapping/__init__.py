"""Mapping files: read and checked, proposed for a page of metrics, described by a schema."""
