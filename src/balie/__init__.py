"""Balie, the front desk of a website: open-source customer service."""
