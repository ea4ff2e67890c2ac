"""What a rate is: model, files, checks, editions, edits."""
