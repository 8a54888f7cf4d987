package exchange

import "strings"

// Field is a header field. Its strings may be views of a codec's buffer.
type Field struct {
	Name  string // in HTTP/2 in lower case, else as it came
	Value string // without blanks around it
	// Line is the field as a line of HTTP/1 with its CRLF, to be copied where it
	// is there; "" if it came otherwise or is new.
	Line string
	ID   FieldID
	// Hop marks a field of a request that is of the client's connection or of the
	// framing there: no target gets it.
	Hop bool
}

// FieldID marks the fields that mean something to a proxy.
type FieldID uint8

// The fields that a proxy looks at.
const (
	OtherField FieldID = iota
	ConnectionField
	ContentLengthField
	DateField
	ExpectField
	ForwardedForField
	ForwardedPortField
	ForwardedProtoField
	HostField
	KeepAliveField
	OIDCField // what only a load balancer tells of a user
	ProxyConnectionField
	TEField
	TraceField
	TransferEncodingField
	UpgradeField
)

// KnownField returns the id of a field by its name, in any case; most names fail
// at the length or the first letter.
func KnownField(name string) FieldID {
	if userField(name) {
		return OIDCField
	}
	want, id := "", OtherField
	switch len(name) {
	case 2:
		want, id = "te", TEField
	case 4:
		want, id = "host", HostField
		if name[0]|0x20 == 'd' {
			want, id = "date", DateField
		}
	case 6:
		want, id = "expect", ExpectField
	case 7:
		want, id = "upgrade", UpgradeField
	case 10:
		want, id = "connection", ConnectionField
		if name[0]|0x20 == 'k' {
			want, id = "keep-alive", KeepAliveField
		}
	case 14:
		want, id = "content-length", ContentLengthField
	case 15:
		want, id = "x-forwarded-for", ForwardedForField
		if name[2]|0x20 == 'a' {
			want, id = "x-amzn-trace-id", TraceField
		}
	case 16:
		want, id = "x-forwarded-port", ForwardedPortField
		if name[0]|0x20 == 'p' {
			want, id = "proxy-connection", ProxyConnectionField
		}
	case 17:
		want, id = "transfer-encoding", TransferEncodingField
		if name[0]|0x20 == 'x' {
			want, id = "x-forwarded-proto", ForwardedProtoField
		}
	}
	if id == OtherField || !strings.EqualFold(name, want) {
		return OtherField
	}
	return id
}

// userField reports whether a name is one of those that tell targets who logged in.
// An underscore counts as a hyphen: to many applications it is the same.
func userField(name string) bool {
	const prefix = "x-amzn-oidc-"
	want := ""
	switch len(name) - len(prefix) {
	case len("data"):
		want = "data"
	case len("identity"):
		want = "identity"
	case len("accesstoken"):
		want = "accesstoken"
	}
	return want != "" && folds(name[:len(prefix)], prefix) && folds(name[len(prefix):], want)
}

// folds reports whether a name is another, which is in lower case, but for case and
// underscores.
func folds(name, lower string) bool {
	for i := range len(lower) {
		c := name[i]
		switch {
		case c == '_':
			c = '-'
		case 'A' <= c && c <= 'Z':
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// find returns the value of the first field with this name, in any case.
func find(fields []Field, name string) (value string, ok bool) {
	for i := range fields {
		if f := &fields[i]; len(f.Name) == len(name) && strings.EqualFold(f.Name, name) {
			return f.Value, true
		}
	}
	return "", false
}
