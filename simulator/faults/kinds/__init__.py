"""The kinds of faults, a module for each family; `catalogue` lists them."""
