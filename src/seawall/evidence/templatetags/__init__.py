"""What the locker's templates may ask for."""
