package console

import (
	"net"
	"net/http"
	"strings"
)

// named answers only requests whose Host is one of the server's: an IP address,
// localhost, or one of names. A page of some other site, whose name has come to
// stand for this address (DNS rebinding), reads nothing.
func named(names []string, next http.Handler) http.Handler {
	own := map[string]bool{"localhost": true}
	for _, name := range names {
		own[strings.ToLower(name)] = true
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		host = strings.Trim(host, "[]")
		if net.ParseIP(host) == nil && !own[strings.ToLower(host)] {
			answer(w, http.StatusMisdirectedRequest, Fault{"InvalidHost", "This server does not answer for the name in the Host header."})
			return
		}
		next.ServeHTTP(w, r)
	})
}
