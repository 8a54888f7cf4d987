package app

import (
	"os"
	"path/filepath"
	"sync"
	"time"

	"neargate/internal/identity"
	"neargate/internal/store/durable"
)

// Access is how a client reaches a server.
type Access struct {
	Endpoint  string `json:"endpoint"` // http://HOST:PORT or https://HOST:PORT
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

// RotateKeys replaces the access keys of a server that does not run: the state
// is locked meanwhile.
func RotateKeys(cfg Config) (identity.Key, error) {
	if missing(filepath.Join(cfg.Data, keysFile)) {
		return identity.Key{}, os.ErrNotExist
	}
	db, err := openState(cfg)
	if err != nil {
		return identity.Key{}, err
	}
	defer db.Close()
	keys, err := identity.Open(filepath.Join(cfg.Data, keysFile), time.Now, nil)
	if err != nil {
		return identity.Key{}, err
	}
	return keys.Rotate()
}
