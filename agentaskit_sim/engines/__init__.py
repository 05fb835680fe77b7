"""Which engine judges, as the command line names it, and two of them compared."""
