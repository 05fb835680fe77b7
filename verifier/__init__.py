"""The judge: a real Prometheus over virtual history, and which alerts fired when."""
