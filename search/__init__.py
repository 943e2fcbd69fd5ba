"""Finding: the query language, the index and its engines, and hits with their place on the page."""
