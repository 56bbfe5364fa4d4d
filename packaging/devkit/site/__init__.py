"""A site: what one school gets, from its declarative file to the exact files of every stick."""
