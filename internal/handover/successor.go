package handover

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Taking is a handover as its successor sees it.
type Taking struct {
	link link
	keys []string
	dir  string
}

// ErrNobody reports that no server runs on a data directory that could hand over.
var ErrNobody = errors.New("no server is there to be replaced")

// calm is how long the other side may take to answer where it has little to do.
const calm = time.Minute

// Join asks the server on a data directory to hand over. When it returns, the copy of
// that server's state is up to date. Errors: ErrNobody, *Refused.
func Join(dir string) (*Taking, error) {
	l, err := call(dir)
	if err != nil {
		return nil, err
	}
	t := &Taking{link: l, dir: dir}
	if err = l.send(message{Kind: hello}); err == nil {
		err = l.SetReadDeadline(time.Now().Add(calm))
	}
	if err == nil {
		t.keys, err = t.offered()
	}
	if err != nil {
		_ = l.Close() // nothing was asked for
		return nil, fmt.Errorf("replace the server on %s: %w", dir, err)
	}
	return t, nil
}

func call(dir string) (link, error) {
	conn, err := at(dir, func(a *net.UnixAddr) (*net.UnixConn, error) { return net.DialUnix("unixpacket", nil, a) })
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		err = ErrNobody
	}
	return link{conn}, err
}

// offered reads the keys of the sockets to come; the last message has none.
func (t *Taking) offered() (keys []string, err error) {
	for {
		m, err := t.link.expect(offer)
		if err != nil || len(m.Keys) == 0 {
			return keys, err
		}
		keys = append(keys, m.Keys...)
	}
}

// Offers reports whether a socket will be handed over for one that is asked for so.
func (t *Taking) Offers(of *Sockets, who, network, address string) bool {
	return of.has(t.keys, who, network, address)
}

// Refuse ends the handover before Take. The predecessor goes on.
func (t *Taking) Refuse(why error) {
	_ = t.link.send(message{Kind: failed, Text: why.Error()}) // its end tells as much
	_ = t.link.Close()
}

// Take has the predecessor let go, and takes its sockets over, and what it knew.
// The predecessor has closed its state when Take returns. One that ends meanwhile
// has done so as well.
func (t *Taking) Take(into *Sockets) (knew []byte, err error) {
	err = t.link.send(message{Kind: take})
	if err == nil {
		err = t.link.SetReadDeadline(time.Time{}) // calls under way have their time
	}
	for err == nil {
		var m message
		var fds []int
		m, fds, err = t.link.receive()
		switch {
		case err != nil:
		case m.Kind == sockets && len(fds) == len(m.Keys):
			into.inherit(m.Keys, fds)
		case m.Kind == yours && len(fds) == 1:
			return contents(fds[0])
		default:
			closeAll(fds)
			err = fmt.Errorf("%q with %d descriptors was said where sockets were due", m.Kind, len(fds))
		}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		return nil, nil
	}
	return nil, fmt.Errorf("take over: %w", err)
}

// contents reads a file that was handed over, from its beginning.
func contents(fd int) ([]byte, error) {
	f := os.NewFile(uintptr(fd), "what the predecessor knew")
	defer func() { _ = f.Close() }() // it was only read
	return io.ReadAll(io.NewSectionReader(f, 0, 1<<40))
}

// Ready tells the predecessor that the successor serves.
func (t *Taking) Ready() error { return t.link.send(message{Kind: ready}) }

// Close lets go of the predecessor: of one that waits for Ready, in failure.
func (t *Taking) Close() error { return t.link.Close() }

// Restart has the server on a data directory start a successor of its own, and
// waits until that serves. Errors: ErrNobody, *Refused.
func Restart(dir string) (text string, err error) {
	l, err := call(dir)
	if err != nil {
		return "", err
	}
	defer func() { _ = l.Close() }() // nothing was written that could be lost
	if err := l.send(message{Kind: restart}); err != nil {
		return "", err
	}
	m, err := l.expect(done)
	if errors.Is(err, io.EOF) {
		err = errors.New("the server went away")
	}
	return m.Text, err
}

// memory returns a file in memory with contents.
func memory(data []byte) (*os.File, error) {
	fd, err := unix.MemfdCreate("neargate-handover", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make a file in memory: %w", err)
	}
	f := os.NewFile(uintptr(fd), "handover")
	if _, err := f.Write(data); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
