"""DistillJob: an app over a student, which learns from a teacher's answers."""
