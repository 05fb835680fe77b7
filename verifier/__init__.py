"""The judge: drives a real Prometheus over virtual history and says which alerts fired when."""
