"""The outcome of a check in every form: text, JSON, SARIF, annotations of GitHub."""
