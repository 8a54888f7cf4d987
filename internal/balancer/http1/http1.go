// Package http1 is the HTTP/1.1 data plane of the load balancer: it takes
// requests from clients, asks a [Router] where they go, passes them to a target
// over kept connections and the answer back, as an Application Load Balancer
// does.
//
// It owns sockets, parsing, framing, forwarded headers, timeouts, retries and
// tunnels. It knows nothing of rules, health or counters: those are behind
// [Router], [Group], [Lease] and [Observer], which it calls from many
// goroutines at once. One goroutine serves one client connection; in steady
// state a request allocates nothing.
package http1
