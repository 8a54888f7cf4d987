package cli

import (
	"fmt"
	"net/netip"
	"strings"

	"neargate/internal/certificates"
)

// networks reads addresses and networks.
func networks(list []string) (out []netip.Prefix, err error) {
	for _, s := range list {
		if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
			out = append(out, netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(s)
		if err != nil || p != p.Masked() {
			return nil, fmt.Errorf("proxy-protocol %q: want an address, or a network such as 10.0.0.0/8", s)
		}
		out = append(out, p)
	}
	return out, nil
}

// certificateFiles reads CERT or CERT,KEY.
func certificateFiles(list []string) (out []certificates.File) {
	for _, s := range list {
		cert, key, _ := strings.Cut(s, ",")
		out = append(out, certificates.File{Cert: cert, Key: key})
	}
	return out
}
