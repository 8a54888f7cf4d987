package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
)

const unsignedPayload = "UNSIGNED-PAYLOAD"

// canonicalRequest is the text that both sides make of a request, as AWS's
// "Create a signed AWS API request" lays it down for all services but S3.
func canonicalRequest(r *http.Request, body []byte, s *signed) string {
	return canonicalText(r, s, canonicalPath(r), payloadHash(r, body, s))
}

func canonicalText(r *http.Request, s *signed, path, payload string) string {
	var b strings.Builder
	b.WriteString(r.Method + "\n" + path + "\n" + canonicalQuery(r) + "\n")
	for _, name := range s.headers {
		b.WriteString(name + ":" + canonicalHeader(r, name) + "\n")
	}
	b.WriteString("\n" + strings.Join(s.headers, ";") + "\n" + payload)
	return b.String()
}

// canonicalPath is the path without dot segments, its segments encoded once
// more than they came: twice in all.
func canonicalPath(r *http.Request) string {
	p := r.URL.EscapedPath()
	clean := path.Clean("/" + p)
	if strings.HasSuffix(p, "/") && clean != "/" {
		clean += "/"
	}
	return escape(clean, true)
}

// canonicalQuery is the query sorted by name and value, but for the signature.
func canonicalQuery(r *http.Request) string {
	var pairs []string
	for name, values := range r.URL.Query() {
		if name == "X-Amz-Signature" {
			continue
		}
		for _, value := range values {
			pairs = append(pairs, escape(name, false)+"="+escape(value, false))
		}
	}
	slices.SortFunc(pairs, func(a, b string) int {
		an, av, _ := strings.Cut(a, "=")
		bn, bv, _ := strings.Cut(b, "=")
		if c := strings.Compare(an, bn); c != 0 {
			return c
		}
		return strings.Compare(av, bv)
	})
	return strings.Join(pairs, "&")
}

// canonicalHeader is a header's values without spare spaces, joined by commas.
func canonicalHeader(r *http.Request, name string) string {
	switch name {
	case "host":
		return r.Host
	case "content-length":
		return strconv.FormatInt(r.ContentLength, 10)
	}
	values := r.Header.Values(name)
	trimmed := make([]string, len(values))
	for i, v := range values {
		trimmed[i] = strings.Join(strings.Fields(v), " ")
	}
	return strings.Join(trimmed, ",")
}

// payloadHash is the body's own hash, whatever the client claims it to be; only
// a client that signed the words UNSIGNED-PAYLOAD goes without.
func payloadHash(r *http.Request, body []byte, s *signed) string {
	claimed := r.Header.Get("X-Amz-Content-Sha256")
	if claimed == unsignedPayload && slices.Contains(s.headers, "x-amz-content-sha256") {
		return unsignedPayload
	}
	if s.presigned && r.URL.Query().Get("X-Amz-Content-Sha256") == unsignedPayload {
		return unsignedPayload
	}
	return hexHash(body)
}

// sign returns the signature of a canonical request, in hex.
func (s *signed) sign(secret, canonical string) string {
	return s.signText(s.key(secret), algorithm, hexHash([]byte(canonical)))
}

// key is what texts are signed with.
func (s *signed) key(secret string) []byte {
	key := []byte("AWS4" + secret)
	for _, part := range []string{s.day, s.region, s.service, "aws4_request"} {
		key = mac(key, part)
	}
	return key
}

// signText signs lines of a kind, in hex.
func (s *signed) signText(key []byte, kind string, lines ...string) string {
	scope := strings.Join([]string{s.day, s.region, s.service, "aws4_request"}, "/")
	text := strings.Join(append([]string{kind, stamp(s.at), scope}, lines...), "\n")
	return hex.EncodeToString(mac(key, text))
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func hexHash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// escape percent-encodes all but RFC 3986's unreserved characters.
func escape(s string, keepSlash bool) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9',
			strings.IndexByte("-._~", c) >= 0, keepSlash && c == '/':
			b.WriteByte(c)
		default:
			b.WriteByte('%')
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		}
	}
	return b.String()
}
