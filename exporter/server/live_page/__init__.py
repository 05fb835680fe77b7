"""The live page: what a world in real time shows to people who look on, once a second."""
