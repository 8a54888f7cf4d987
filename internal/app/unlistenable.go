package app

import (
	"errors"
	"fmt"
	"syscall"
)

// Unlistenable is the error of an address that a flag names and that the server
// cannot listen on.
type Unlistenable struct { //nolint:errname // it reads as app.Unlistenable
	Flag, Address string
	Err           error // of the system call
}

// Error names the flag, its address, and what is in the way.
func (u *Unlistenable) Error() string {
	var why any = u.Err
	switch {
	case errors.Is(u.Err, syscall.EADDRINUSE):
		why = "another program has the address"
	case errors.Is(u.Err, syscall.EADDRNOTAVAIL):
		why = "this machine does not have the address"
	case errors.Is(u.Err, syscall.EACCES):
		why = "this user may not listen on ports under 1024"
	}
	return fmt.Sprintf("%s %q: %v", u.Flag, u.Address, why)
}

// Unwrap returns the error of the system call.
func (u *Unlistenable) Unwrap() error { return u.Err }

// Hint is what a person can do about it.
func (u *Unlistenable) Hint() string {
	another := "name another address with --" + u.Flag
	switch {
	case errors.Is(u.Err, syscall.EADDRINUSE):
		return "stop that program, or " + another
	case errors.Is(u.Err, syscall.EADDRNOTAVAIL):
		return "name an address of this machine with --" + u.Flag
	}
	return another
}
