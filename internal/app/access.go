package app

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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

// keysFile keeps the account's own access key.
const keysFile = "keys.json"

// rootKey reads the account's access key, or makes one at the first start.
func rootKey(data string) (access, secret string, err error) {
	path := filepath.Join(data, keysFile)
	var k Access
	b, err := os.ReadFile(path)
	switch {
	case err == nil:
		if err := json.Unmarshal(b, &k); err != nil {
			return "", "", fmt.Errorf("read %s: %w", path, err)
		}
		return k.AccessKey, k.SecretKey, nil
	case !errors.Is(err, fs.ErrNotExist):
		return "", "", fmt.Errorf("read the access key: %w", err)
	}
	// 20 and 40 characters, as AWS's; Text gives 26 of base32.
	k.AccessKey = "AKIA" + rand.Text()[:16]
	k.SecretKey = (rand.Text() + rand.Text())[:40]
	if err := writeJSON(path, k); err != nil {
		return "", "", fmt.Errorf("keep the access key: %w", err)
	}
	return k.AccessKey, k.SecretKey, nil
}

// writeJSON writes a file that only its owner can read, whole or not at all.
func writeJSON(path string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(append(b, '\n'))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
