package main

import (
	"fmt"
	"strings"
	"time"

	"neargate/bench/peers"
	"neargate/bench/rig"
)

// The goals: times nginx's CPU, and times Caddy's.
const (
	goalNginx = 1.3
	goalCaddy = 0.5
)

// report is the page; short reports whether a goal was not met.
func report(field *peers.Field, costs map[string]map[string][]time.Duration, o options) (page string, short bool) {
	var b strings.Builder
	fmt.Fprintf(&b, "# HTTPS\n\n%s; load %s. %d rounds of %s each, %d kept connections (HTTP/2: %d with 8 streams). CPU of one request or handshake in µs, the median. "+
		"A handshake is TLS 1.3 with an ECDSA certificate and one request.\n\n| |",
		rig.Machine(), rig.LoadAverage(), o.rounds, o.span, o.conns, max(o.conns/8, 1))
	for _, p := range field.Peers {
		fmt.Fprintf(&b, " %s |", p.Name)
	}
	b.WriteString(" × nginx | × Caddy | goal |\n|---|" + strings.Repeat("---|", len(field.Peers)+3) + "\n")
	for _, t := range trials() {
		fmt.Fprintf(&b, "| %s |", t.name)
		for _, p := range field.Peers {
			fmt.Fprintf(&b, " %.1f |", micro(median(costs[t.name][p.Name])))
		}
		met := true
		for _, g := range []struct {
			peer string
			most float64
		}{{peers.Nginx, goalNginx}, {peers.Caddy, goalCaddy}} {
			theirs, there := costs[t.name][g.peer]
			if !there {
				b.WriteString(" - |")
				continue
			}
			ratio := micro(median(costs[t.name][peers.Ours])) / micro(median(theirs))
			met = met && (ratio <= g.most || t.shakes && g.peer == peers.Caddy) // whose handshakes are by the same library
			fmt.Fprintf(&b, " %.2f |", ratio)
		}
		short = short || !met
		goal := fmt.Sprintf("at most %.1f, %.1f", goalNginx, goalCaddy)
		if t.shakes {
			goal = fmt.Sprintf("at most %.1f", goalNginx)
		}
		fmt.Fprintf(&b, " %s: %s |\n", goal, rig.Verdict(met))
	}
	return b.String(), short
}

func micro(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
