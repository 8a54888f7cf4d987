package supervisor

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/moby/sys/user"
)

// maxUserFile bounds /etc/passwd and /etc/group of an image, in bytes.
const maxUserFile = 4 << 20

// resolveUser turns a user as an image or a task definition names it into
// numbers, by the image's own /etc/passwd and /etc/group.
func resolveUser(root, name string) (*user.ExecUser, error) {
	passwd, err := readUserFile(root, "/etc/passwd")
	if err != nil {
		return nil, err
	}
	group, err := readUserFile(root, "/etc/group")
	if err != nil {
		return nil, err
	}
	u, err := user.GetExecUser(name, nil, passwd, group)
	if err != nil {
		return nil, fmt.Errorf("find user %q in the image: %w", name, err)
	}
	return u, nil
}

// readUserFile returns a file's text, empty when there is no such file.
func readUserFile(root, path string) (io.Reader, error) {
	data, err := readInRoot(root, path, maxUserFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return bytes.NewReader(data), nil
}
