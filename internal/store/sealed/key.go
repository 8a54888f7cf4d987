// Package sealed encrypts what is kept on disk, with a key in a file beside it:
// values whole, files in chunks that can be read from anywhere. What is sealed
// is bound to a place and opens nowhere else.
//
// A Key is safe for concurrent use.
package sealed

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"neargate/internal/store/durable"
)

// keyBytes is the length of an AES-256 key.
const keyBytes = 32

// Key seals with AES-256-GCM, with keys derived from that of the file.
type Key struct {
	master []byte
	values cipher.AEAD
}

// OpenKey reads the key in the file at path, or makes one, which only the file's
// owner can read. What another key has sealed cannot be opened any more.
func OpenKey(path string) (*Key, error) {
	master, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		master = make([]byte, keyBytes)
		_, _ = rand.Read(master) // never fails: crypto/rand.Read
		err = durable.WriteFile(path, master)
	}
	if err == nil && len(master) != keyBytes {
		err = fmt.Errorf("%s has %d bytes, not %d", path, len(master), keyBytes)
	}
	if err != nil {
		return nil, fmt.Errorf("open the key of secrets: %w", err)
	}
	k := &Key{master: master}
	block, err := k.derive("values")
	if err == nil {
		k.values, err = cipher.NewGCMWithRandomNonce(block)
	}
	if err != nil {
		return nil, fmt.Errorf("open the key of secrets: %w", err)
	}
	return k, nil
}

// derive returns the cipher with the key of a purpose.
func (k *Key) derive(purpose string) (cipher.Block, error) {
	key, err := hkdf.Key(sha256.New, k.master, nil, purpose, keyBytes)
	if err != nil {
		return nil, err
	}
	return aes.NewCipher(key)
}

// Seal encrypts a value for one place.
func (k *Key) Seal(value []byte, place string) []byte {
	return k.values.Seal(nil, nil, value, []byte(place))
}

// Open decrypts what Seal returned for the same place.
func (k *Key) Open(sealed []byte, place string) ([]byte, bool) {
	value, err := k.values.Open(nil, nil, sealed, []byte(place))
	return value, err == nil
}
