package sigv4

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const algorithm = "AWS4-HMAC-SHA256"

// defaultExpires is how long, in seconds, a presigned URL that does not say it
// is valid: STS clients leave it out.
const defaultExpires = "900"

// signed is what a request carries of its signature.
type signed struct {
	accessKey, day, region, service string
	headers                         []string // lower case, sorted
	signature                       string
	token                           string
	at                              time.Time
	presigned                       bool
	expires                         time.Duration // of a presigned URL
}

// parse reads the signature from the Authorization header, else from the URL.
func parse(r *http.Request) (*signed, error) {
	if auth := r.Header.Get("Authorization"); auth != "" {
		return parseHeader(r, auth)
	}
	query := r.URL.Query()
	if query.Get("X-Amz-Algorithm") == "" {
		return nil, denied("MissingAuthenticationTokenException", "Request is missing Authentication Token")
	}
	return parseQuery(r, query)
}

func parseHeader(r *http.Request, auth string) (*signed, error) {
	scheme, rest, _ := strings.Cut(auth, " ")
	if scheme != algorithm {
		return nil, incomplete("Unsupported AWS 'algorithm': '" + cut(scheme) + "'.")
	}
	parts := map[string]string{}
	for pair := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
		parts[name] = value
	}
	var missing []string
	for _, name := range []string{"Credential", "Signature", "SignedHeaders"} {
		if parts[name] == "" {
			missing = append(missing, "Authorization header requires '"+name+"' parameter.")
		}
	}
	at, ok := headerTime(r)
	if !ok {
		missing = append(missing, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
	}
	if len(missing) > 0 {
		return nil, incomplete(strings.Join(missing, " "))
	}
	s := &signed{at: at, signature: parts["Signature"], token: r.Header.Get("X-Amz-Security-Token")}
	return s, s.finish(r, parts["Credential"], parts["SignedHeaders"])
}

// headerTime reads X-Amz-Date, else Date.
func headerTime(r *http.Request) (time.Time, bool) {
	if stamp := r.Header.Get("X-Amz-Date"); stamp != "" {
		t, err := time.Parse(timeFormat, stamp)
		return t, err == nil
	}
	date := r.Header.Get("Date")
	if t, err := http.ParseTime(date); err == nil {
		return t.UTC(), true
	}
	t, err := time.Parse(timeFormat, date)
	return t, err == nil
}

func parseQuery(r *http.Request, query url.Values) (*signed, error) {
	if got := query.Get("X-Amz-Algorithm"); got != algorithm {
		return nil, incomplete("Unsupported AWS 'algorithm': '" + cut(got) + "'.")
	}
	for _, name := range []string{"Credential", "Date", "SignedHeaders", "Signature"} {
		if query.Get("X-Amz-"+name) == "" {
			return nil, incomplete("AWS query-string parameters must include 'X-Amz-" + name + "'. Re-examine the query-string parameters.")
		}
	}
	at, err := time.Parse(timeFormat, query.Get("X-Amz-Date"))
	if err != nil {
		return nil, incomplete("Date must be in ISO-8601 'basic format'. Got '" + cut(query.Get("X-Amz-Date")) + "'. See http://en.wikipedia.org/wiki/ISO_8601")
	}
	seconds, err := strconv.Atoi(cmp.Or(query.Get("X-Amz-Expires"), defaultExpires))
	if err != nil || seconds < 0 || seconds > int(maxPresigned/time.Second) {
		return nil, incomplete("X-Amz-Expires must be a number from 0 to 604800.")
	}
	s := &signed{
		at: at, signature: query.Get("X-Amz-Signature"), token: query.Get("X-Amz-Security-Token"),
		presigned: true, expires: time.Duration(seconds) * time.Second,
	}
	return s, s.finish(r, query.Get("X-Amz-Credential"), query.Get("X-Amz-SignedHeaders"))
}

// finish reads the credential scope and the names of the signed headers.
func (s *signed) finish(r *http.Request, credential, headers string) error {
	scope := strings.Split(credential, "/")
	if len(scope) != 5 {
		return incomplete("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '" + cut(credential) + "'")
	}
	if scope[4] != "aws4_request" {
		return invalid("Credential should be scoped with a valid terminator: 'aws4_request', not '%.40s'.", scope[4])
	}
	s.accessKey, s.day, s.region, s.service = scope[0], scope[1], scope[2], scope[3]
	s.headers = strings.Split(strings.ToLower(headers), ";")
	slices.Sort(s.headers)
	if !slices.Contains(s.headers, "host") {
		return invalid("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
	}
	return s.checkHeaders(r)
}

// checkHeaders refuses headers of AWS's own, such as the operation's name in
// X-Amz-Target, that the signature does not cover: "all x-amz-* headers in the
// request" must be signed (IAM guide, "Create a signed AWS API request").
func (s *signed) checkHeaders(r *http.Request) error {
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		if strings.HasPrefix(name, "X-Amz-") && !slices.Contains(s.headers, strings.ToLower(name)) {
			return invalid("'%.80s' must be a 'SignedHeader' in the AWS Authorization.", name)
		}
	}
	return nil
}

// cut shortens a caller's text for an error message.
func cut(s string) string {
	if len(s) > 80 {
		return s[:80]
	}
	return s
}

func incomplete(msg string) error { return denied("IncompleteSignatureException", msg) }
