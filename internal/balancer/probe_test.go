package balancer

import "testing"

// TestHostHeader: elasticloadbalancing, "Health checks for your target groups":
// the Host header holds the target's address and, but for the protocol's own
// port, the health check port.
func TestHostHeader(t *testing.T) {
	for to, want := range map[string]string{
		"10.0.0.7:80":     "10.0.0.7",
		"10.0.0.7:8080":   "10.0.0.7:8080",
		"10.0.0.7:443":    "10.0.0.7:443",
		"[fd00::7]:80":    "[fd00::7]",
		"[fd00::7]:8080":  "[fd00::7]:8080",
		"10.0.0.80:80800": "10.0.0.80:80800",
	} {
		if got := hostHeader(to); got != want {
			t.Errorf("hostHeader(%q) is %q, want %q", to, got, want)
		}
	}
}
