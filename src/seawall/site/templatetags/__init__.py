"""What the site's templates may ask for."""
