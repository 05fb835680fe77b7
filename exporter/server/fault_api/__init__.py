"""The fault API: who may call it, what it changes, what it returns."""
