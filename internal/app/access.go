package app

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"neargate/internal/identity"
	"neargate/internal/store/boltfile"
	"neargate/internal/store/durable"
)

// Access is how a client reaches a server.
type Access struct {
	Endpoint string `json:"endpoint"` // http://HOST:PORT or https://HOST:PORT
	// Local is the same for a client beside the server, whom the advertised name
	// may lead elsewhere: within a container, say.
	Local     string `json:"local"`
	Region    string `json:"region"`
	AccessKey string `json:"access_key"`
	SecretKey string `json:"secret_key"`
	// CAFile is the certificate of the authority that clients have to trust,
	// if it is the server's own.
	CAFile string `json:"ca_file,omitempty"`
}

// AccessFile is the name, in the data directory, of the file that holds an
// Access as JSON while the server can be reached. Only its owner can read it.
const AccessFile = "access.json"

// keysFile keeps the access keys of the account's root.
const keysFile = "keys.json"

// announcement is what clients find in AccessFile.
type announcement struct {
	path string

	mu     sync.Mutex
	access Access
	out    bool // the file is there
}

func (a *announcement) get() Access {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.access
}

func (a *announcement) publish() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.out = true
	return durable.WriteJSON(a.path, a.access)
}

// withdraw removes the file: a client without it learns that no server runs.
func (a *announcement) withdraw() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.out = false
	_ = os.Remove(a.path) // it may never have been there
}

// keyChanged makes a new access key the one that clients find.
func (a *announcement) keyChanged(key identity.Key) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.access.AccessKey, a.access.SecretKey = key.AccessKey, key.SecretKey
	if !a.out {
		return nil
	}
	return durable.WriteJSON(a.path, a.access)
}

// Runs reports whether a server runs on a data directory: the lock on its state
// tells, also of one that was killed. known is false where there is no state, or
// it is another user's.
func Runs(data string) (runs, known bool) {
	f, err := os.Open(filepath.Join(data, stateFile))
	if err != nil {
		return false, false
	}
	defer func() { _ = f.Close() }() // and the lock with it
	return errors.Is(unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB), unix.EWOULDBLOCK), true
}

// RotateKeys replaces the access keys of a server that does not run: the state,
// of whatever account and region, is locked meanwhile. What a killed server has
// left for clients goes, as its key is refused. Errors: store.ErrLocked,
// os.ErrNotExist.
func RotateKeys(cfg Config) (identity.Key, error) {
	if missing(filepath.Join(cfg.Data, keysFile)) {
		return identity.Key{}, os.ErrNotExist
	}
	state, err := boltfile.Open(filepath.Join(cfg.Data, stateFile), bolt.Options{})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return identity.Key{}, err
	}
	if err == nil {
		defer func() { _ = state.Close() }()
	}
	keys, err := identity.Open(filepath.Join(cfg.Data, keysFile), time.Now, nil)
	if err != nil {
		return identity.Key{}, err
	}
	key, err := keys.Rotate()
	if err == nil {
		_ = os.Remove(filepath.Join(cfg.Data, AccessFile)) // it may not be there
	}
	return key, err
}
