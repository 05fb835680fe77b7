"""Files of users: the place of every value, mistakes as data, writing whole or not at all."""
