package cli

import (
	"strings"
	"testing"

	"neargate/internal/console"
)

// What is said to other machines goes by the names that load balancers have, also
// those of a domain that the server was started with before.
func TestNamesForOtherMachines(t *testing.T) {
	const local, former = "names below localhost are theirs", "neargate serve --domain example.test answers"
	for _, row := range []struct {
		domain, want string
		names        []string
	}{
		{"", local, nil},
		{"", local, []string{"web-1.us-east-1.elb.localhost"}},
		{"", former, []string{"web-1.us-east-1.elb.localhost", "web.example.test"}},
		{"example.test", "serve --dns", []string{"web.example.test"}},
	} {
		n := console.Names{Domain: row.domain}
		for _, name := range row.names {
			n.LoadBalancers = append(n.LoadBalancers, console.NamedBalancer{Names: []string{name}})
		}
		var out strings.Builder
		printOthers(&out, n)
		if got := out.String(); !strings.Contains(got, row.want) {
			t.Errorf("domain %q, names %q: %q, want %q", row.domain, row.names, got, row.want)
		}
	}
}
