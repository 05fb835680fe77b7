"""Series by name: labels that selectors read, levels, and how promtool writes both down."""
