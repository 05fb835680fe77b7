"""The form of scenario files: keys and types, and the JSON Schema that editors read."""
