"""What ours is raced against: the default and the tuned recipe of each library, in one place."""
