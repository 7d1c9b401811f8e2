# Cables of a scenario: what passes a port of its loopback device.  To be
# sourced by scenarios that need root, and so have a network of their own.

# now: milliseconds.
now()
{
	date +%s%3N
}

# cable_cut PORT [both|to-server|to-agent]: nothing passes any more, and
# nobody is told.
cable_cut()
{
	nft add table inet cable &&
	    nft add chain inet cable in \
	    '{ type filter hook input priority 0; }' || return 1
	[ "${2:-both}" = to-agent ] ||
	    nft add rule inet cable in tcp dport "$1" drop || return 1
	[ "${2:-both}" = to-server ] ||
	    nft add rule inet cable in tcp sport "$1" drop
}

# cable_reset PORT: whoever sends something gets a reset from the middle.
cable_reset()
{
	nft add table inet cable &&
	    nft add chain inet cable in \
	    '{ type filter hook input priority 0; }' &&
	    nft add rule inet cable in tcp flags rst accept &&
	    nft add rule inet cable in tcp dport "$1" \
	    reject with tcp reset &&
	    nft add rule inet cable in tcp sport "$1" \
	    reject with tcp reset
}

cable_mend()
{
	nft delete table inet cable
}
