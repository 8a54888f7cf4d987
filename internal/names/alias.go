package names

import (
	"bytes"
	"net/netip"
	"slices"
	"time"

	dns "golang.org/x/net/dns/dnsmessage"
)

// follow adds to what there is at a name what there is at the names that aliases
// lead to, where these are ours: a client does not ask again. A circle of them is
// gone round once. elsewhere is the name at the end that is not ours; "": none.
func (s *Server) follow(name string, a Answer, view View) (_ Answer, elsewhere string) {
	seen := []string{name}
	for i := 0; i < len(a.Records); i++ {
		to := a.Records[i].Alias
		if to == "" || slices.Contains(seen, to) {
			continue
		}
		seen = append(seen, to)
		next, known := s.lookup(to, view)
		if !known {
			elsewhere = to
			continue
		}
		a.Records = append(slices.Clip(a.Records), named(next.Records, to)...)
	}
	return a, elsewhere
}

func named(records []Record, name string) []Record {
	out := make([]Record, len(records))
	for i, r := range records {
		r.Name = name
		out[i] = r
	}
	return out
}

// leadsTo notes that an answer to a question about addresses ends in a name that
// is not ours, and reports whether it does.
func (q *question) leadsTo(elsewhere string, a Answer) bool {
	if elsewhere == "" || q.Type != dns.TypeA && q.Type != dns.TypeAAAA {
		return false
	}
	q.alias, q.sofar = elsewhere, a
	return true
}

// message is what is asked elsewhere: the client's own message, or one about the
// name that an alias of ours leads to.
func (q *question) message(msg []byte) []byte {
	if q.alias == "" {
		return bytes.Clone(msg)
	}
	m := dns.Message{
		Header:    dns.Header{ID: q.header.ID, RecursionDesired: true},
		Questions: []dns.Question{{Name: full(q.alias), Type: q.Type, Class: dns.ClassINET}},
	}
	out, err := m.Pack()
	if err != nil { // of a valid name
		return bytes.Clone(msg)
	}
	return out
}

// complete answers with an alias of ours and what elsewhere has at its name.
func (q *question) complete(answer []byte, a asked) []byte {
	limit := maxMessage
	if a.network == "udp" {
		limit = min(q.size, ednsSize)
	}
	var m dns.Message
	if err := m.Unpack(answer); err != nil {
		return q.fail(nil, dns.RCodeServerFailure)
	}
	for _, r := range m.Answers {
		one := Record{Name: plain(r.Header.Name), TTL: time.Duration(r.Header.TTL) * time.Second}
		switch b := r.Body.(type) {
		case *dns.AResource:
			one.Address = netip.AddrFrom4(b.A)
		case *dns.AAAAResource:
			one.Address = netip.AddrFrom16(b.AAAA)
		case *dns.CNAMEResource:
			one.Alias = plain(b.CNAME)
		default:
			continue
		}
		q.sofar.Records = append(q.sofar.Records, one)
	}
	return q.reply(nil, q.sofar, limit)
}
