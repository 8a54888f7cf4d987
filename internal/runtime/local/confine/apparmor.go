// Package confine lays the kernel's mandatory access control on tasks, beside
// what namespaces, capabilities and seccomp do: a profile of AppArmor, which all
// tasks of the machine share, and labels of SELinux, which each has for itself.
package confine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Where the kernel shows AppArmor, on every Linux.
const (
	parameterFile = "/sys/module/apparmor/parameters/enabled"
	securityDir   = "/sys/kernel/security/apparmor"
)

// labelFiles show what confines this process: AppArmor's own file, which Linux
// has since 5.8, and the one that all security modules share.
func labelFiles() []string {
	return []string{"/proc/self/attr/apparmor/current", "/proc/self/attr/current"}
}

// unconfined is the label of processes that no profile confines.
const unconfined = "unconfined"

// AppArmor is the kernel's AppArmor, as far as it concerns the profile.
type AppArmor struct {
	enabled string   // file: "Y" where AppArmor is on
	dir     string   // its part of securityfs
	labels  []string // files: what confines this process; the first that is there
	mark    string   // file: the text of the profile that was last loaded
	parsers []string // programs that compile a profile and load it
}

// New returns AppArmor; mark is a file that is gone, as the profile is, at the
// next boot.
func New(mark string) *AppArmor {
	return &AppArmor{
		enabled: parameterFile, dir: securityDir, labels: labelFiles(), mark: mark,
		parsers: []string{"apparmor_parser", "/usr/sbin/apparmor_parser", "/sbin/apparmor_parser"},
	}
}

// Enabled reports whether the kernel has AppArmor and it is on.
func (a *AppArmor) Enabled() bool {
	data, err := os.ReadFile(a.enabled)
	return err == nil && bytes.HasPrefix(data, []byte("Y"))
}

// Loaded reports whether the kernel has a profile of this name.
func (a *AppArmor) Loaded() (bool, error) {
	data, err := os.ReadFile(filepath.Join(a.dir, "profiles"))
	if err != nil {
		return false, fmt.Errorf("list AppArmor's profiles: %w", err)
	}
	for line := range strings.Lines(string(data)) { // "name (mode)"
		if strings.HasPrefix(line, Profile+" (") {
			return true, nil
		}
	}
	return false, nil
}

// Load gives the kernel the profile, unless it has this text already. It fails
// where containers could not be started under the profile, or not be stopped.
// The caller keeps others from loading or unloading it meanwhile.
func (a *AppArmor) Load(ctx context.Context) error {
	loaded, err := a.Loaded()
	if err != nil {
		return err
	}
	if err := a.checkOwn(); err != nil {
		return err
	}
	if text, err := os.ReadFile(a.mark); loaded && err == nil && string(text) == profileText {
		return nil
	}
	if err := a.parse(ctx); err != nil {
		return err
	}
	if err := os.WriteFile(a.mark, []byte(profileText), 0o600); err != nil {
		return fmt.Errorf("note the AppArmor profile: %w", err)
	}
	return nil
}

// checkOwn fails when this process is confined: then it cannot put others, which
// gain no privileges, under a profile of their own, and the profile takes no
// signals from it.
func (a *AppArmor) checkOwn() error {
	var label []byte
	err := fs.ErrNotExist
	for _, name := range a.labels {
		if label, err = os.ReadFile(name); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("read what confines this process: %w", err)
	}
	if own := strings.TrimRight(string(label), "\n\x00"); own != unconfined {
		return fmt.Errorf("this process is itself confined by %s", own)
	}
	return nil
}

// parse has the profile compiled and loaded, in place of one of its name.
func (a *AppArmor) parse(ctx context.Context) error {
	parser, err := a.parser()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, parser, "--replace", "--skip-cache")
	cmd.Stdin = strings.NewReader(profileText)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("load AppArmor profile: %w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}

// ErrNoParser is the error of a machine without the program that loads profiles.
var ErrNoParser = errors.New("there is no apparmor_parser")

func (a *AppArmor) parser() (string, error) {
	for _, name := range a.parsers {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", ErrNoParser
}

// Unload takes the profile from the kernel; processes that it still confines are
// free then. It is content when there is none.
func (a *AppArmor) Unload() error {
	if !a.Enabled() {
		return nil
	}
	loaded, err := a.Loaded()
	if errors.Is(err, fs.ErrNotExist) { // nobody could have loaded it
		return nil
	}
	if err != nil || !loaded {
		return err
	}
	f, err := os.OpenFile(filepath.Join(a.dir, ".remove"), os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("remove AppArmor profile: %w", err)
	}
	_, err = f.WriteString(Profile)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("remove AppArmor profile: %w", err)
	}
	return nil
}
