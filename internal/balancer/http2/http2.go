// Package http2 is the load balancer's HTTP/2 (RFC 9113), towards clients and
// towards targets: the codec beneath exchange.
//
// A session is one connection. Its reader takes frames in, and owns what they
// come in; everything else is guarded by the session's mutex, which is held for a
// few instructions. Streams append their frames to what the session has to send,
// and whoever finds nobody sending sends it all: what many streams have to say at
// one time is one write. What a peer can make a session keep is bounded, and a
// peer that works without asking for anything is sent away.
package http2
