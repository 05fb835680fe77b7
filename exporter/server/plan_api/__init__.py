"""The API of the load and of whole scenarios, beside the faults of a served world."""
