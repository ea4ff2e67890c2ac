"""Letters to insureds and underwriters: quotes and underwriting opinions, from templates that a company may replace."""
