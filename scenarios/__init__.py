"""What to run and what to expect: scenario schema, loader and the bundled library."""
