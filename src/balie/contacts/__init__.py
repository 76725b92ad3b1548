"""Who is on the other side: visitors (browsers, pseudonymous) and contacts (persons we know)."""
