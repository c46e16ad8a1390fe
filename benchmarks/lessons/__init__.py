"""Students with and without a teacher: their files, their jobs, and what came of them."""
