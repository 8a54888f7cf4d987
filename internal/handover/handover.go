// Package handover has one process take the place of another that serves on the
// same data directory, without a connection being refused: the successor gets the
// sockets on which the predecessor listens, and what clients send meanwhile waits
// in them.
//
//	successor                     predecessor
//	hello ───────────────────────▶ brings the copy of its state up to date
//	        ◀────────────────────── offer: the sockets that there are
//	(opens the copy, checks flags)
//	take  ───────────────────────▶ decides nothing more, closes the state
//	        ◀────────────────────── sockets …, yours: what it knew of targets
//	(opens the state, serves)
//	ready ───────────────────────▶ takes no new connections, ends
//
// Up to take the predecessor can go on as if nothing had been, and does when the
// successor goes. After that it serves what it did with what it knew, until a
// successor is ready: it starts one of its own program when that one goes.
// Whichever of the two is killed, the other one has what it needs: the kernel
// gives back the lock of the state, and both hold the sockets.
//
// Sockets and Door are safe for concurrent use.
package handover

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// kind is what a message is.
type kind string

const (
	hello   kind = "hello"
	offer   kind = "offer"
	take    kind = "take"
	sockets kind = "sockets"
	yours   kind = "yours"
	ready   kind = "ready"
	restart kind = "restart" // of who asks for a successor
	done    kind = "done"    // its answer
	failed  kind = "failed"  // from either: why it is not to be
)

// message is one packet. Descriptors come beside it, one for each key; with yours
// one, of a file with what the predecessor knew.
type message struct {
	Kind kind     `json:"kind"`
	Keys []string `json:"keys,omitempty"`
	Text string   `json:"text,omitempty"`
}

// Refused is the error of a successor or a restart that the other side does not want.
type Refused struct{ Why string } //nolint:errname // it reads as handover.Refused

// Error implements error.
func (r *Refused) Error() string { return r.Why }

// The bounds of a message: the kernel takes 253 descriptors at once (SCM_MAX_FD).
const (
	maxMessage = 64 << 10
	maxFiles   = 200
)

// link is one end of a connection between the two.
type link struct{ *net.UnixConn }

// send sends a message with descriptors, which stay the caller's.
func (l link) send(m message, fds ...int) error {
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	var rights []byte
	if len(fds) > 0 {
		rights = unix.UnixRights(fds...)
	}
	_, _, err = l.WriteMsgUnix(data, rights, nil)
	return err
}

// receive waits for a message. Its descriptors are the caller's. The end of the
// connection is io.EOF.
func (l link) receive() (m message, fds []int, err error) {
	data, rights := make([]byte, maxMessage), make([]byte, unix.CmsgSpace(4*maxFiles))
	n, nr, flags, _, err := l.ReadMsgUnix(data, rights)
	if err != nil {
		return m, nil, err
	}
	if fds, err = descriptors(rights[:nr]); err != nil {
		return m, nil, err
	}
	switch {
	case n == 0:
		err = io.EOF
	case flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0:
		err = errors.New("a message was cut short")
	default:
		err = json.Unmarshal(data[:n], &m)
	}
	if err == nil && m.Kind == failed {
		err = &Refused{m.Text}
	}
	if err != nil {
		closeAll(fds)
		return m, nil, err
	}
	return m, fds, nil
}

// expect is receive for the one kind of message that may come now.
func (l link) expect(want kind) (message, error) {
	m, fds, err := l.receive()
	closeAll(fds) // none come with these kinds
	if err == nil && m.Kind != want {
		err = fmt.Errorf("%q was said where %q was due", m.Kind, want)
	}
	return m, err
}

// descriptors returns those beside a message.
func descriptors(rights []byte) (all []int, err error) {
	parsed, err := unix.ParseSocketControlMessage(rights)
	if err != nil {
		return nil, err
	}
	for i := range parsed {
		fds, err := unix.ParseUnixRights(&parsed[i])
		if err != nil {
			continue // something else than descriptors
		}
		for _, fd := range fds {
			unix.CloseOnExec(fd)
		}
		all = append(all, fds...)
	}
	return all, nil
}

func closeAll(fds []int) {
	for _, fd := range fds {
		_ = unix.Close(fd) // nothing was written
	}
}

// socketName is the socket in a data directory at which a successor calls.
const socketName = "handover.sock"

// at calls f with an address of the socket that is short enough for the kernel,
// wherever the directory lies.
func at[T any](dir string, f func(*net.UnixAddr) (T, error)) (T, error) {
	d, err := os.Open(dir)
	if err != nil {
		var none T
		return none, err
	}
	defer func() { _ = d.Close() }() // it was only read
	return f(&net.UnixAddr{Net: "unixpacket", Name: filepath.Join(fmt.Sprintf("/proc/self/fd/%d", d.Fd()), socketName)})
}
