package main

import (
	"bytes"
	"fmt"
	"strings"

	"neargate/bench/peers"
	"neargate/bench/rig"
)

// whole reports whether an answer of 100 bytes has come.
func whole(b []byte) bool {
	_, body, found := bytes.Cut(b, []byte("\r\n\r\n"))
	return found && len(body) >= 100
}

// report is the page; short reports whether a goal was not met.
func report(field *peers.Field, results map[string]map[string]int64, o options) (page string, short bool) {
	var b strings.Builder
	fmt.Fprintf(&b, "# Idle connections\n\n%s; load %s. %d connections to each, silent for %s. Bytes in RAM a connection, of all processes.\n\n| |", rig.Machine(), rig.LoadAverage(), o.conns, o.settle)
	for _, p := range field.Peers {
		fmt.Fprintf(&b, " %s |", p.Name)
	}
	b.WriteString(" goal |\n|---|" + strings.Repeat("---|", len(field.Peers)+1) + "\n")
	for _, k := range kinds() {
		fmt.Fprintf(&b, "| %s |", k.name)
		for _, p := range field.Peers {
			fmt.Fprintf(&b, " %d |", results[k.name][p.Name])
		}
		words, met := judge(k, results[k.name])
		short = short || !met
		fmt.Fprintf(&b, " %s: %s |\n", words, rig.Verdict(met))
	}
	return b.String(), short
}

// judge holds the goals against one kind of connection.
func judge(k kind, got map[string]int64) (words string, met bool) {
	ours, theirs := got[peers.Ours], got[peers.HAProxy]
	met = true
	if theirs > 0 {
		ratio := float64(ours) / float64(theirs)
		met, words = ratio <= goalRatio, fmt.Sprintf("%.2f × HAProxy, at most %.1f", ratio, goalRatio)
	}
	if !k.tls {
		met = met && ours <= goalPlain
		words += fmt.Sprintf(", at most %d bytes", goalPlain)
	}
	return strings.TrimPrefix(words, ", "), met
}
