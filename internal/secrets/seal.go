package secrets

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"neargate/internal/store/durable"
)

// keyBytes is the length of an AES-256 key.
const keyBytes = 32

// Key seals values with AES-256-GCM. It is safe for concurrent use.
type Key struct{ aead cipher.AEAD }

// OpenKey reads the key in the file at path, or makes one, which only the file's
// owner can read. Values that another key has sealed cannot be opened any more.
func OpenKey(path string) (*Key, error) {
	key, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		key = make([]byte, keyBytes)
		_, _ = rand.Read(key) // never fails: crypto/rand.Read
		err = durable.WriteFile(path, key)
	}
	if err == nil && len(key) != keyBytes {
		err = fmt.Errorf("%s has %d bytes, not %d", path, len(key), keyBytes)
	}
	if err != nil {
		return nil, fmt.Errorf("open the key of secrets: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("open the key of secrets: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("open the key of secrets: %w", err)
	}
	return &Key{aead}, nil
}

// seal encrypts a value for one place: it opens nowhere else.
func (k *Key) seal(value []byte, place string) []byte {
	return k.aead.Seal(nil, nil, value, []byte(place))
}

// open decrypts what seal returned for the same place.
func (k *Key) open(sealed []byte, place string) ([]byte, bool) {
	value, err := k.aead.Open(nil, nil, sealed, []byte(place))
	return value, err == nil
}
