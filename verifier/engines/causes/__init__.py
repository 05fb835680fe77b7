"""Why an alert differs between two engines: what each makes of the same samples, recomputed."""
