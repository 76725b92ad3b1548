"""Fan-out between those who write and those who listen. Only a hint: the log is the truth."""
