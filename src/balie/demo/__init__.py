"""The demo shop: a fictional Dutch bicycle shop that carries Balie on its pages."""
