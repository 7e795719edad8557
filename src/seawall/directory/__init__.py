"""Facts about the world, each with its source and the date it was checked. Stores nothing about anyone."""
