package logs

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"strconv"
)

// A page token of a stream is "f/" or "b/" and a position in 56 digits, as
// CloudWatch Logs writes them: 20 of milliseconds, 36 of the event's number.
// The position lies between two events: forward begins there, backward ends
// there.
const (
	tokenTimeDigits   = 20
	tokenNumberDigits = 36
)

func (p position) digits() string {
	return fmt.Sprintf("%0*d%0*d", tokenTimeDigits, max(p.ms, 0), tokenNumberDigits, p.seq)
}

func parseToken(s string) (p position, forward bool, err error) {
	bad := invalid("The specified nextToken is invalid.")
	if len(s) != 2+tokenTimeDigits+tokenNumberDigits || s[:2] != "f/" && s[:2] != "b/" {
		return p, false, bad
	}
	if p.ms, err = strconv.ParseInt(s[2:2+tokenTimeDigits], 10, 64); err != nil {
		return p, false, bad
	}
	if p.seq, err = strconv.ParseUint(s[2+tokenTimeDigits:], 10, 64); err != nil {
		return p, false, bad
	}
	return p, s[0] == 'f', nil
}

// after is the position behind the event at p.
func (p position) after() position { return position{p.ms, p.seq + 1} }

// eventID is 56 digits that no two events of a server share, but by an
// accident of the hash.
func eventID(stream string, p position) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(stream)) // never fails
	return fmt.Sprintf("%020d%020d%016d", max(p.ms, 0), h.Sum64(), p.seq)
}

// place is how far a search over several streams has come: at the last event
// that was looked at.
type place struct {
	MS     int64  `json:"t"`
	Seq    uint64 `json:"n"`
	Stream string `json:"s"`
}

func (p place) token() string {
	data, _ := json.Marshal(p) // never fails
	return base64.RawURLEncoding.EncodeToString(data)
}

func parsePlace(s string) (*place, error) {
	data, err := base64.RawURLEncoding.DecodeString(s)
	var p place
	if err == nil {
		err = json.Unmarshal(data, &p)
	}
	if err != nil || p.Stream == "" {
		return nil, invalid("The specified nextToken is invalid.")
	}
	return &p, nil
}

// resume returns where a search goes on in one of its streams. Events of one
// millisecond are in the order of their streams' names.
func (p place) resume(stream string, forward bool) position {
	done := stream < p.Stream // of millisecond MS, in this stream
	if !forward {
		done = stream > p.Stream
	}
	switch {
	case stream == p.Stream && forward:
		return position{p.MS, p.Seq + 1}
	case stream == p.Stream:
		return position{p.MS, p.Seq}
	case done == forward:
		return position{p.MS + 1, 0}
	}
	return position{p.MS, 0}
}
