"""The database of a hub in PostgreSQL: where one machine is outgrown. Loaded only by a hub that has one."""
