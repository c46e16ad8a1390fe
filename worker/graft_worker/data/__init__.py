"""Examples: read, checked, tokenised once into shards, ordered, packed into batches."""
