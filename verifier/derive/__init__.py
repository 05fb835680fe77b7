"""Series that make each alert of any rule file fire, nearly fire, resolve and go absent."""
