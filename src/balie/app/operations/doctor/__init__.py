"""`balie doctor`: what is the matter with an installation, and what to do about it, one file for each part."""
