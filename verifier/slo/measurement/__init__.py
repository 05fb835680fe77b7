"""How burn-rate alerts behave: burns at known rates, simulated, and what fires when."""
