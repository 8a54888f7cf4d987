//go:build race

package layer

// raced says that the race detector is on, whose own memory counts too.
const raced = true
