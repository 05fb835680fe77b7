"""The compiled event loop, its arrays, its streams of chance and the reader of snapshots."""
