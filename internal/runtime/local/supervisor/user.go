package supervisor

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/moby/sys/user"
)

// resolveUser turns a user as an image or a task definition names it into
// numbers, by the image's own /etc/passwd and /etc/group.
func resolveUser(root, name string) (*user.ExecUser, error) {
	passwd, err := readInRoot(root, "/etc/passwd")
	if err != nil {
		return nil, err
	}
	group, err := readInRoot(root, "/etc/group")
	if err != nil {
		return nil, err
	}
	u, err := user.GetExecUser(name, nil, passwd, group)
	if err != nil {
		return nil, fmt.Errorf("find user %q in the image: %w", name, err)
	}
	return u, nil
}

// userFileLimit bounds what we read of a file that an image brings.
const userFileLimit = 4 << 20

// readInRoot gives a file's text, empty when there is no such file.
func readInRoot(root, path string) (io.Reader, error) {
	f, err := openInRoot(root, path)
	if errors.Is(err, fs.ErrNotExist) {
		return strings.NewReader(""), nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the image's %s: %w", path, err)
	}
	defer func() { _ = f.Close() }()
	if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() {
		return nil, fmt.Errorf("read the image's %s: not a regular file", path)
	}
	data, err := io.ReadAll(io.LimitReader(f, userFileLimit))
	if err != nil {
		return nil, fmt.Errorf("read the image's %s: %w", path, err)
	}
	return strings.NewReader(string(data)), nil
}
