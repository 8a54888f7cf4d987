//go:build race

package http1

// raceEnabled has sockets read and written by way of the standard library, which
// tells the race detector what happens before what.
const raceEnabled = true
