package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"neargate/internal/model"
	"neargate/internal/store"
	"neargate/internal/store/boltfile"
)

// Finding is one thing that Examine has looked at.
type Finding struct {
	Subject string
	Err     error  // what is wrong with it; nil: nothing
	Note    string // what else is to know
	Hint    string // what to do about Err
}

// PlaceOf returns whose state a data directory has: its account and region, or
// those given where it has no records of others, or cannot be read.
func PlaceOf(data string, given model.Place) model.Place {
	home, err := schema(given).HomeOf(filepath.Join(data, stateFile))
	if err != nil {
		return given // Examine finds out why
	}
	given.Account, given.Region = home.Account, home.Region
	return given
}

// Examine looks at what a server with this configuration needs: the machine, the
// data directory and its files, the disk, the port. It changes nothing.
func Examine(ctx context.Context, cfg Config) []Finding {
	all := []Finding{
		{Subject: "machine", Err: cfg.Engine.Check()},
		examineDirectory(cfg.Data),
	}
	if missing(cfg.Data) {
		return append(all, examinePort(ctx, cfg.Listen))
	}
	all = append(all, examineDisk(cfg.Data))
	path := filepath.Join(cfg.Data, stateFile)
	state := Finding{Subject: stateFile, Err: schema(cfg.Place).Examine(path)}
	running := errors.Is(state.Err, store.ErrLocked)
	switch {
	case running:
		state.Err, state.Note = nil, "a server is running on it; its files are not examined"
	case errors.Is(state.Err, fs.ErrNotExist) && missing(filepath.Join(cfg.Data, keysFile)):
		state.Err, state.Note = nil, "the directory is new"
	}
	all = append(all, state)
	if !running {
		all = append(all, examineCopy(path), examineMetrics(cfg.Data))
	}
	for _, name := range []string{keysFile, "runtime/instance.json"} {
		all = append(all, examineJSON(cfg.Data, name))
	}
	if running { // it has its address
		return all
	}
	return append(all, examinePort(ctx, cfg.Listen))
}

func examineDirectory(data string) Finding {
	f := Finding{Subject: "data directory " + data}
	info, err := os.Stat(data)
	if errors.Is(err, fs.ErrNotExist) {
		f.Note = "it is created at the first start"
		return f
	}
	if err != nil {
		f.Err = err
		return f
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !info.IsDir():
		f.Err = errors.New("it is not a directory")
	case ok && int(owner.Uid) != os.Geteuid():
		f.Err, f.Hint = fmt.Errorf("it belongs to user %d", owner.Uid), ownerHint(data)
	case info.Mode().Perm()&0o077 != 0:
		f.Err, f.Hint = fmt.Errorf("others can enter it: mode %o", info.Mode().Perm()), "chmod 700 "+data
	}
	return f
}

// leastFree is the room below which a disk is as good as full, in bytes.
const leastFree = 256 << 20

func examineDisk(data string) Finding {
	f := Finding{Subject: "disk"}
	var st unix.Statfs_t
	if f.Err = unix.Statfs(data, &st); f.Err != nil {
		return f
	}
	free := int64(st.Bavail) * st.Bsize
	f.Note = fmt.Sprintf("%d MiB free", free>>20)
	switch {
	case free < leastFree:
		f.Err, f.Hint = fmt.Errorf("only %d MiB are free", free>>20), "make room: calls that change something fail when it is full"
	case st.Files > 0 && st.Ffree < 1000:
		f.Err, f.Hint = fmt.Errorf("only %d more files fit", st.Ffree), "remove files: calls that change something fail when none fits"
	}
	return f
}

func examineCopy(state string) Finding {
	f := Finding{Subject: filepath.Base(store.CopyOf(state))}
	info, err := os.Stat(store.CopyOf(state))
	if errors.Is(err, fs.ErrNotExist) {
		f.Note = "there is none yet; a server makes one every 5 minutes and when it stops"
		return f
	}
	if f.Err = err; err == nil {
		f.Err = boltfile.VerifyFile(store.CopyOf(state))
		f.Note = "of " + info.ModTime().Format(time.DateTime)
		f.Hint = "remove it; the next start makes a new one"
	}
	return f
}

func examineMetrics(data string) Finding {
	f := Finding{Subject: "metrics"}
	path := filepath.Join(data, "metrics")
	if missing(path) {
		f.Note = "there are none yet"
		return f
	}
	f.Err = boltfile.VerifyFile(path)
	f.Hint = "the next start puts them aside and begins anew"
	return f
}

func examineJSON(data, name string) Finding {
	f := Finding{Subject: name}
	content, err := os.ReadFile(filepath.Join(data, name))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.Note = "there is none yet"
	case err != nil:
		f.Err = err
	case !json.Valid(content):
		f.Err, f.Hint = errors.New("it has lost its content"), "the next start restores it, or says what to do"
	}
	return f
}

// ownerHint is what to do about a data directory of another user: nothing that
// gives root's keys away.
func ownerHint(data string) string {
	if os.Geteuid() != 0 {
		return "run it as root"
	}
	return "chown -R root " + data
}

func examinePort(ctx context.Context, address string) Finding {
	f := Finding{Subject: "address " + address}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		u := &Unlistenable{"listen", address, err}
		f.Err, f.Hint = u, u.Hint()
		return f
	}
	f.Err = l.Close()
	return f
}
