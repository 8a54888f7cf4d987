package local

import "net/netip"

// Subnet is the network that tasks get their addresses from.
func (e *Engine) Subnet() netip.Prefix { return e.net.Subnet() }
