package accesslog

import (
	"crypto/x509"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"neargate/internal/balancer/exchange"
)

// Conn is one connection of a client, or one that came to nothing, as its line
// tells of it.
type Conn struct {
	At           time.Time // when it was established, or refused
	Client       netip.AddrPort
	Port         int // of the listener
	LoadBalancer string
	Node         netip.Addr
	ID           exchange.ConnID

	Protocol, Cipher, Group string            // of TLS, as OpenSSL and IANA name them; "": none, or not agreed on
	Took                    time.Duration     // the handshake; 0: there was none, or it failed
	Leaf                    *x509.Certificate // the client's; nil: none was shown
	Fault                   string            // AWS's code for why it was refused; "": it was not
}

// Append appends the connection's line, in the format of the user guide for
// Application Load Balancers, "Connection log entries".
func (c *Conn) Append(b []byte) []byte {
	b = append(appendTime(b, c.At), ' ')
	b = append(appendHost(b, c.Client), ' ')
	b = append(strconv.AppendUint(b, uint64(c.Client.Port()), 10), ' ')
	b = append(strconv.AppendInt(b, int64(c.Port), 10), ' ')
	b = append(append(b, orDash(c.Protocol)...), ' ')
	b = append(append(b, orDash(c.Cipher)...), ' ')
	if c.Took > 0 {
		b = append(strconv.AppendFloat(b, c.Took.Seconds(), 'f', 3, 64), ' ')
	} else {
		b = append(b, "- "...)
	}
	b = c.appendLeaf(b)
	if c.Fault == "" {
		b = append(b, " Success "...)
	} else {
		b = append(append(append(b, " Failed:"...), c.Fault...), ' ')
	}
	b = append(appendConn(b, c.ID), ' ')
	b = append(append(b, orDash(c.Group)...), ' ')
	b = append(append(b, c.LoadBalancer...), ' ')
	return append(appendNode(b, c.Node), '\n')
}

// appendLeaf appends subject, validity and serial number of the client's
// certificate.
func (c *Conn) appendLeaf(b []byte) []byte {
	if c.Leaf == nil {
		return append(b, `"-" - -`...)
	}
	b = append(appendQuoted(b, c.Leaf.Subject.String()), " NotBefore="...)
	b = append(c.Leaf.NotBefore.UTC().AppendFormat(b, time.RFC3339), ";NotAfter="...)
	b = append(c.Leaf.NotAfter.UTC().AppendFormat(b, time.RFC3339), ' ')
	return append(b, strings.ToUpper(c.Leaf.SerialNumber.Text(16))...)
}

func appendHost(b []byte, a netip.AddrPort) []byte { return appendNode(b, a.Addr()) }
