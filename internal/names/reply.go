package names

import (
	"strings"
	"time"

	dns "golang.org/x/net/dns/dnsmessage"
)

// fail writes an answer that is only a code.
func (q question) fail(buf []byte, code dns.RCode) []byte {
	return q.write(buf, Answer{}, code)
}

// reply writes an answer of ours, of at most limit bytes: a longer one is cut,
// and the client asks again over TCP.
func (q question) reply(buf []byte, a Answer, limit int) []byte {
	code := dns.RCodeSuccess
	if a.Missing {
		code = dns.RCodeNameError
	}
	out := q.write(buf, a, code)
	if len(out) <= limit {
		return out
	}
	out = q.write(buf, Answer{Records: a.Records[:0]}, code)
	out[2] |= 1 << 1 // TC
	return out
}

// write writes a message. Names come from sources and from the question, which
// the builder takes; what it does not take is left out.
func (q question) write(buf []byte, a Answer, code dns.RCode) []byte {
	b := dns.NewBuilder(buf[:0], dns.Header{
		ID: q.header.ID, Response: true, OpCode: q.header.OpCode, Authoritative: a.Zone != "",
		RecursionDesired: q.header.RecursionDesired, RecursionAvailable: true, RCode: code,
	})
	b.EnableCompression()
	if q.Name.Length > 0 {
		_ = b.StartQuestions() // in order
		_ = b.Question(q.Question)
	}
	_ = b.StartAnswers()
	written := 0
	for _, r := range a.Records {
		if q.put(&b, r) {
			written++
		}
	}
	if written == 0 && a.Zone != "" {
		_ = b.StartAuthorities()
		putStart(&b, a)
	}
	if q.extended {
		var h dns.ResourceHeader
		_ = h.SetEDNS0(ednsSize, dns.RCodeSuccess, false) // never fails
		_ = b.StartAdditionals()
		_ = b.OPTResource(h, dns.OPTResource{})
	}
	out, _ := b.Finish() // it was started
	return out
}

// put writes a record if it answers the question.
func (q question) put(b *dns.Builder, r Record) bool {
	h := dns.ResourceHeader{Name: q.Name, Class: dns.ClassINET, TTL: uint32(r.TTL / time.Second)}
	if r.Name != "" {
		h.Name = full(r.Name)
	}
	asks := func(t dns.Type) bool { return q.Type == t || q.Type == dns.TypeALL }
	switch {
	case r.Address.Is4():
		return asks(dns.TypeA) && b.AResource(h, dns.AResource{A: r.Address.As4()}) == nil
	case r.Address.Is6():
		return asks(dns.TypeAAAA) && b.AAAAResource(h, dns.AAAAResource{AAAA: r.Address.As16()}) == nil
	case r.Pointer != "":
		return asks(dns.TypePTR) && b.PTRResource(h, dns.PTRResource{PTR: full(r.Pointer)}) == nil
	case r.Alias != "": // answers every type
		return b.CNAMEResource(h, dns.CNAMEResource{CNAME: full(r.Alias)}) == nil
	case r.Target != "":
		return asks(dns.TypeSRV) && b.SRVResource(h, dns.SRVResource{Priority: r.Priority, Weight: r.Weight, Port: r.Port, Target: full(r.Target)}) == nil
	}
	return false
}

// putStart writes a zone's start of authority, by which a client knows how long
// to remember that there is nothing (RFC 2308).
func putStart(b *dns.Builder, a Answer) {
	ttl := uint32(a.NegativeTTL / time.Second)
	_ = b.SOAResource(dns.ResourceHeader{Name: full(a.Zone), Class: dns.ClassINET, TTL: ttl}, dns.SOAResource{
		NS: full("ns." + a.Zone), MBox: full("hostmaster." + a.Zone),
		Serial: 1, Refresh: 7200, Retry: 900, Expire: 1209600, MinTTL: ttl,
	})
}

// full returns a name as messages have it; one that is too long becomes the
// root.
func full(name string) dns.Name {
	n, err := dns.NewName(strings.TrimSuffix(name, ".") + ".")
	if err != nil {
		n, _ = dns.NewName(".")
	}
	return n
}
