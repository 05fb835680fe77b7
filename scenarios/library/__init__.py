"""The bundled scenarios, a file of YAML each."""
