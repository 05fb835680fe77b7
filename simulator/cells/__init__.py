"""Several worlds as the cells of one system, behind a router."""
