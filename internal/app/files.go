package app

import "golang.org/x/sys/unix"

// reservedFiles are kept from the load balancers' clients, for the APIs, tasks'
// own connections, the state, the engine (about six a task) and health checks.
const reservedFiles = 2500

// maxConns returns how many client connections the load balancers may have at
// once, and how many to targets: seven eighths of those there is room for, half of
// it for each kind.
func maxConns() int { return max(7*conns()/8, 1) }

// connectConns returns how many connections tasks may have to each other through
// Service Connect: the other eighth.
func connectConns() int { return max(conns()/8, 1) }

func conns() int {
	limit := openFiles()
	return (limit - reserved(limit)) / 2
}

// apiConns returns how many connections the APIs may have at once: two fifths
// of what is reserved.
func apiConns() int { return max(2*reserved(openFiles())/5, 1) }

// taskConns returns how many connections tasks may have at once to each of what
// they reach of the server: a tenth of what is reserved.
func taskConns() int { return max(reserved(openFiles())/10, 1) }

func reserved(limit int) int { return min(reservedFiles, limit/2) }

// openFiles returns how many files this process may have open. Go raises the
// soft limit to the hard one when a program starts.
func openFiles() int {
	var files unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &files); err != nil {
		return 1024 // Linux's own default
	}
	return int(min(files.Cur, 1<<20))
}
