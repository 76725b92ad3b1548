#!/bin/sh
# Install strace, which records what the store writes for the tests of power loss.
set -u
line="apt-get install --yes --no-install-recommends strace"
if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
	DEBIAN_FRONTEND=noninteractive $line > /dev/null 2>&1 || {
		apt-get update --quiet > /dev/null 2>&1
		DEBIAN_FRONTEND=noninteractive $line > /dev/null 2>&1
	}
fi
command -v strace > /dev/null && exit 0
echo "The tests of power loss need strace. Install it with:" >&2
echo "  sudo $line" >&2
exit 1
