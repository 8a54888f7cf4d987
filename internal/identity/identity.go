// Package identity keeps the access keys of the account's root, in a file that
// only the server's user can read. Keys is safe for concurrent use.
package identity

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"
	"time"

	"neargate/internal/model"
	"neargate/internal/store/durable"
)

// maxKeys is how many access keys one user has: IAM's quota AccessKeysPerUser.
const maxKeys = 2

// Key is an access key of the root.
type Key struct {
	AccessKey string    `json:"access_key"`
	SecretKey string    `json:"secret_key"`
	Created   time.Time `json:"created,omitzero"`
}

// kept is the file: the newest key as the file of one key has always held it,
// and the one before it while there are two.
type kept struct {
	Key
	Older []Key `json:"older,omitempty"`
}

func keep(keys []Key) kept {
	last := len(keys) - 1
	return kept{keys[last], keys[:last]}
}

// Keys is the root's access keys, of which there is always one.
type Keys struct {
	path    string
	now     func() time.Time
	changed func(Key) error

	mu   sync.Mutex
	keys []Key // the oldest first
}

// Open reads the keys in the file at path, or makes the first one; a file that
// has lost its content is restored from its copy. Errors: *Lost. changed is
// called with the newest key whenever they have changed; it may be nil.
func Open(path string, now func() time.Time, changed func(newest Key) error) (*Keys, error) {
	k := &Keys{path: path, now: now, changed: changed}
	keys, err := read(path)
	if lost, ok := errors.AsType[*Lost](err); ok {
		// The keys must not change without anybody's word.
		spare, err := read(path + copySuffix)
		if err != nil {
			return nil, lost
		}
		return k, k.setLocked(spare)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		_, err := k.Create()
		return k, err
	case err != nil:
		return nil, fmt.Errorf("read the access keys: %w", err)
	}
	k.keys = keys
	if _, err := os.Stat(path + copySuffix); errors.Is(err, fs.ErrNotExist) {
		_ = durable.WriteJSON(path+copySuffix, keep(keys)) // no start hangs on it: the disk may be full
	}
	return k, nil
}

// copySuffix is that of the file that has the keys once more.
const copySuffix = ".good"

// Lost is the error of a file that has lost its keys, as its copy has.
type Lost struct{ Path string } //nolint:errname // it reads as identity.Lost

// Error names the file.
func (l *Lost) Error() string { return l.Path + " has lost its content" }

// read reads the keys in a file. Errors: *Lost, fs.ErrNotExist.
func read(path string) ([]Key, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var file kept
	if err := json.Unmarshal(b, &file); err != nil || file.AccessKey == "" || file.SecretKey == "" {
		return nil, &Lost{path}
	}
	return append(file.Older, file.Key), nil
}

// Secret returns the secret of an access key of the root.
func (k *Keys) Secret(accessKey string) (string, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if i := k.indexLocked(accessKey); i >= 0 {
		return k.keys[i].SecretKey, true
	}
	return "", false
}

// Newest returns the key that was made last.
func (k *Keys) Newest() Key {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.keys[len(k.keys)-1]
}

// List returns the keys, the oldest first.
func (k *Keys) List() []Key {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.keys)
}

// Create makes a key beside the others. Errors: LimitExceeded.
func (k *Keys) Create() (Key, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.keys) == maxKeys {
		return Key{}, model.Errorf(model.Conflict, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: %d", maxKeys)
	}
	// 20 and 40 characters, as AWS's; Text returns 26 of base32.
	key := Key{AccessKey: "AKIA" + rand.Text()[:16], SecretKey: (rand.Text() + rand.Text())[:40], Created: k.now().UTC().Truncate(time.Second)}
	return key, k.setLocked(append(slices.Clone(k.keys), key))
}

// Delete takes a key away: requests signed with it are refused from now on. The
// last one stays. Errors: NoSuchEntity, DeleteConflict.
func (k *Keys) Delete(accessKey string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	i := k.indexLocked(accessKey)
	switch {
	case i < 0:
		return model.Errorf(model.NotFound, "NoSuchEntity", "The Access Key with id %s cannot be found.", accessKey)
	case len(k.keys) == 1:
		return model.Errorf(model.Conflict, "DeleteConflict", "Cannot delete the last access key: nobody could sign a request any more.")
	}
	return k.setLocked(slices.Delete(slices.Clone(k.keys), i, i+1))
}

// Rotate replaces all keys by a new one.
func (k *Keys) Rotate() (Key, error) {
	for _, old := range k.List()[1:] {
		if err := k.Delete(old.AccessKey); err != nil {
			return Key{}, err
		}
	}
	old := k.Newest()
	key, err := k.Create()
	if err != nil {
		return Key{}, err
	}
	return key, k.Delete(old.AccessKey)
}

func (k *Keys) indexLocked(accessKey string) int {
	return slices.IndexFunc(k.keys, func(one Key) bool { return one.AccessKey == accessKey })
}

// setLocked keeps keys on disk, and then here. The copy comes first: it must
// never bring back a key that was taken away.
func (k *Keys) setLocked(keys []Key) error {
	for _, path := range []string{k.path + copySuffix, k.path} {
		if err := durable.WriteJSON(path, keep(keys)); err != nil {
			return fmt.Errorf("keep the access keys: %w", err)
		}
	}
	k.keys = keys
	if k.changed == nil {
		return nil
	}
	return k.changed(keys[len(keys)-1])
}
