"""The contract with users: types, rules, Plan, status; imported by everyone, imports nobody."""

__version__ = "0.1.0"
