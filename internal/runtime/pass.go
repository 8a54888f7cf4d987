package runtime

// Passer is an engine that another process can take over. Engines need not be one.
type Passer interface {
	// Pass has Close leave all as it is on the machine, for a process that opens the
	// engine right after: tasks go on reaching the server's ports.
	Pass()
}
