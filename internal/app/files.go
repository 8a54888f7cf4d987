package app

import "golang.org/x/sys/unix"

// reservedFiles are kept from the load balancers' clients, for the APIs, the
// state, the engine (about six a task) and health checks.
const reservedFiles = 2000

// maxConns returns how many client connections the load balancers may have at
// once. Each may need a second file, for its connection to a target. Go raises
// the soft limit of open files to the hard one when a program starts.
func maxConns() int {
	var files unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &files); err != nil {
		return 0
	}
	limit := int(min(files.Cur, 1<<20))
	return max(limit-min(reservedFiles, limit/2), 2) / 2
}
