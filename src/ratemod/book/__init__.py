"""Who is rated: declared columns, readers, checks, size classes, accident grades, codes, synthetic province."""
