package main

import (
	"context"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

//go:embed files
var files embed.FS

// packaged is a file of the package beside the program itself.
type packaged struct {
	name, to string
	mode     os.FileMode
}

func allPackaged() []packaged {
	return []packaged{
		{"files/neargate.service", "lib/systemd/system/neargate.service", 0o644},
		{"files/neargate.socket", "lib/systemd/system/neargate.socket", 0o644},
		{"files/default", "etc/default/neargate", 0o644},
		{"files/postinst", "DEBIAN/postinst", 0o755},
		{"files/prerm", "DEBIAN/prerm", 0o755},
		{"files/postrm", "DEBIAN/postrm", 0o755},
	}
}

// writeDeb writes the Debian package of a program.
func (r release) writeDeb(ctx context.Context, p program) error {
	root, err := os.MkdirTemp("", "neargate-deb-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(root)
	if err := os.Chmod(root, 0o755); err != nil {
		return err
	}
	put := func(to string, data []byte, mode os.FileMode) error {
		path := filepath.Join(root, to)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		return os.WriteFile(path, data, mode)
	}
	exe, err := os.ReadFile(p.file)
	if err != nil {
		return err
	}
	if err := put("usr/bin/neargate", exe, 0o755); err != nil {
		return err
	}
	for _, f := range allPackaged() {
		data, err := files.ReadFile(f.name)
		if err != nil {
			return err
		}
		if err := put(f.to, data, f.mode); err != nil {
			return err
		}
	}
	for from, to := range map[string]string{"README.md": "README.md", "CHANGELOG.md": "changelog.md", "LICENSE": "copyright"} {
		data, err := os.ReadFile(filepath.Join(moduleRoot(), from))
		if err != nil {
			return err
		}
		if err := put(filepath.Join("usr/share/doc/neargate", to), data, 0o644); err != nil {
			return err
		}
	}
	if err := put("DEBIAN/conffiles", []byte("/etc/default/neargate\n"), 0o644); err != nil {
		return err
	}
	if err := put("DEBIAN/control", []byte(r.control(p.arch, len(exe))), 0o644); err != nil {
		return err
	}
	name := filepath.Join(r.dir, fmt.Sprintf("neargate_%s_%s.deb", r.debVersion(), p.arch))
	cmd := exec.CommandContext(ctx, "dpkg-deb", "--root-owner-group", "-Zxz", "--build", root, name)
	cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH="+strconv.FormatInt(r.when.Unix(), 10))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("make the package for %s: %w: %s", p.arch, err, out)
	}
	return nil
}

// debVersion is the version in Debian's form: what comes before a release sorts
// before it, commits since a release after it.
func (r release) debVersion() string {
	v, rest, more := strings.Cut(strings.TrimPrefix(r.version, "v"), "-")
	switch {
	case !more:
		return v
	case strings.HasPrefix(rest, "rc"):
		v += "~"
	default:
		v += "+"
	}
	return v + strings.ReplaceAll(rest, "-", ".")
}

func (r release) control(arch string, size int) string {
	return fmt.Sprintf(`Package: neargate
Version: %s
Architecture: %s
Maintainer: The Neargate authors <neargate@localhost>
Installed-Size: %d
Section: admin
Priority: optional
Recommends: apparmor
Description: containers as services that scale themselves, behind AWS's APIs
 Neargate runs containers as services behind its own application load balancer,
 scales them by the policies of AWS Application Auto Scaling, and answers the
 APIs of ECS, ELBv2, CloudWatch, ECR and others on one port. It needs Linux 5.10
 or newer, and neither Docker nor any library.
`, r.debVersion(), arch, size/1024+1)
}

// moduleRoot is the directory with go.mod: the working directory, or for tests
// the one above.
func moduleRoot() string {
	if _, err := os.Stat("go.mod"); err == nil {
		return "."
	}
	return ".."
}
