"""The trunk: conversations as append-only logs, their rules, and who may read and write them."""
