"""Whose rows a transaction may see and change.

Every read and write says it: `of` an organisation, by its id, or EVERYWHERE for the few that must look
across all: a session by its token, an agent by his address, a site by its key, the sweeps of all.
"""

EVERYWHERE = "*"
"""No organisation's id: those are hexadecimal."""
NOBODY = ""
"""Whose rows are out of everybody's reach, and only wait to be deleted."""
