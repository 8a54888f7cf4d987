// Package seccomp compiles Docker's default seccomp profile to a BPF program and
// installs it. The program is compiled once, in pure Go, and handed as bytes to
// the processes that need it: compiling costs milliseconds, installing
// microseconds.
package seccomp

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"github.com/moby/profiles/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Default compiles Docker's default profile for a process with the given
// capabilities ("CAP_CHOWN", …) on this machine's kernel. The result is an
// array of struct sock_filter.
func Default(capabilities []string) ([]byte, error) {
	profile, err := seccomp.GetDefaultProfile(&specs.Spec{Process: &specs.Process{
		Capabilities: &specs.LinuxCapabilities{Bounding: capabilities},
	}})
	if err != nil {
		return nil, fmt.Errorf("read seccomp profile: %w", err)
	}
	return compile(profile)
}

// Install puts the program on every thread of this process, for good, and sets
// no_new_privs, which lets it do so without any capability.
func Install(program []byte) error {
	if len(program) == 0 || len(program)%8 != 0 {
		return errors.New("install seccomp filter: not a BPF program")
	}
	runtime.LockOSThread() // no_new_privs and the call belong to one thread
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("set no_new_privs: %w", err)
	}
	prog := unix.SockFprog{
		Len:    uint16(len(program) / 8),
		Filter: (*unix.SockFilter)(unsafe.Pointer(unsafe.SliceData(program))),
	}
	r, _, e := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&prog)))
	runtime.KeepAlive(program)
	if e != 0 {
		return fmt.Errorf("install seccomp filter: %w", e)
	}
	if r != 0 {
		return fmt.Errorf("install seccomp filter: thread %d could not take it", r)
	}
	return nil
}
