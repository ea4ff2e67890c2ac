"""One reader for every table that enters: files, folders and frames to columns, with a receipt of what was read."""
