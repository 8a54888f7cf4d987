package names

import (
	"errors"

	dns "golang.org/x/net/dns/dnsmessage"
)

// Sizes of messages over UDP (RFC 1035, 2.3.4; RFC 6891; the DNS flag day 2020).
const (
	plainSize = 512
	ednsSize  = 1232
)

// question is what a client asks.
type question struct {
	header dns.Header
	dns.Question
	name     string // in lower case, without the final dot
	extended bool   // the client speaks EDNS
	size     int    // of an answer over UDP, at most, as the client says

	// alias is the name elsewhere that one of ours stands for, and so far what is
	// answered before it; "" for most questions.
	alias string
	sofar Answer
}

var (
	errNoQuestion = errors.New("no question") // not to be answered: it would answer an answer
	errMalformed  = errors.New("malformed")
)

// parse reads a message. A header that could be read is in q with errMalformed.
func parse(msg []byte) (q question, err error) {
	q.size = plainSize
	var p dns.Parser
	if q.header, err = p.Start(msg); err != nil || q.header.Response {
		return q, errNoQuestion
	}
	all := int(msg[4])<<8 | int(msg[5])
	if q.Question, err = p.Question(); err != nil || all != 1 {
		return q, errMalformed
	}
	q.name = plain(q.Name)
	if err := errors.Join(p.SkipAllQuestions(), p.SkipAllAnswers(), p.SkipAllAuthorities()); err != nil {
		return q, errMalformed
	}
	for {
		h, err := p.AdditionalHeader()
		if errors.Is(err, dns.ErrSectionDone) {
			return q, nil
		}
		if err != nil || p.SkipAdditional() != nil {
			return q, errMalformed
		}
		if h.Type == dns.TypeOPT {
			q.extended, q.size = true, max(int(h.Class), plainSize)
		}
	}
}

// refused returns the code for what is not answered here at all.
func (q question) refused() dns.RCode {
	switch {
	case q.header.OpCode != 0:
		return dns.RCodeNotImplemented
	case q.Class != dns.ClassINET && q.Class != dns.ClassANY:
		return dns.RCodeRefused
	}
	return dns.RCodeSuccess
}
