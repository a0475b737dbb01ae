"""A bridge that ends before it greets its host."""
raise SystemExit(1)
