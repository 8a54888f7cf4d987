package app

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"neargate/internal/store"
)

// stateFile keeps all records, in the data directory.
const stateFile = "state.db"

// openState opens the state, or creates it at the first start. A data directory
// that has an access key has had a state: when it is gone the start is refused,
// as a server without it would end all tasks.
func openState(cfg Config) (*store.DB, error) {
	path := filepath.Join(cfg.Data, stateFile)
	if missing(path) && !missing(filepath.Join(cfg.Data, keysFile)) {
		return nil, &store.Damaged{Path: path, Err: errors.New("the file is missing, though the directory has been used")}
	}
	return schema(cfg.Place).Open(path)
}

func missing(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}
