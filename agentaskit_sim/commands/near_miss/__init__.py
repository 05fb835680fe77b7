"""`agentaskit-sim scenarios near-miss`: its options, and the search that is done for them."""
