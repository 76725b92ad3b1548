"""Words that every room shares: ids, events, actors, errors, paging. Pure: no I/O, no clock, no chance."""
