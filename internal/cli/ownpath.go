package cli

import (
	"os"
	"os/exec"
	"path/filepath"
)

// ownPath returns where this program lies, by the name that it was started under, so
// that what is put there later is found. The kernel names the file that runs, which
// may be renamed, or be another than a symbolic link leads to by then.
//
// An absolute name is right as it is: a server names its successor so, also where that
// is not the program that lies there.
func ownPath(name string) (string, error) {
	if filepath.IsAbs(name) {
		return filepath.Clean(name), nil
	}
	path, err := exec.LookPath(name)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil || !isOwn(path) {
		return os.Executable()
	}
	return path, nil
}

// isOwn reports whether a file is the program that runs.
func isOwn(path string) bool {
	there, err := os.Stat(path)
	if err != nil {
		return false
	}
	own, err := os.Stat("/proc/self/exe")
	return err == nil && os.SameFile(there, own)
}
