"""The SLO check: policies, rules and dashboards set against one another."""
