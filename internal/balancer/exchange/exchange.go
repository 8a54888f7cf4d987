// Package exchange is what the load balancer does with one request, whatever
// protocol it came by and leaves by: it asks a [Router] where the request goes,
// has a target of a [Group] try it, or several in turn, passes the answer on,
// and tells an [Observer] how it ended.
//
// It knows no socket and no protocol. Those are behind two interfaces that
// codecs implement: [Client] is one request of a client, [Try] is one try of it
// on a connection or a stream to a target. [Flow] stands between them. Rules,
// health and counters are behind [Router], [Group], [Lease] and [Observer],
// which are called from many goroutines at once.
//
// The goroutine that serves a request calls everything here, but for one more
// that passes a long body on while the answer is awaited. In steady state a
// request allocates nothing.
package exchange
