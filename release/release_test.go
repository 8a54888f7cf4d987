package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// newRelease is a release of a program that only has a size.
func newRelease(t *testing.T) (release, []program) {
	t.Helper()
	r := release{dir: t.TempDir(), version: "v1.2.3-rc1", when: time.Unix(1_700_000_000, 0).UTC()}
	var programs []program
	for _, arch := range []string{"amd64", "arm64"} {
		p := program{arch, filepath.Join(t.TempDir(), "neargate")}
		if err := os.WriteFile(p.file, []byte("#!/bin/sh\necho "+arch+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		programs = append(programs, p)
	}
	return r, programs
}

func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func needs(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skip("needs " + name)
	}
}

// TestPackageInstalls installs the package into a directory with a shell, by
// dpkg, and takes it off again.
func TestPackageInstalls(t *testing.T) {
	needs(t, "dpkg-deb")
	needs(t, "busybox")
	if os.Geteuid() != 0 {
		t.Skip("needs root: dpkg runs the package's scripts in another root")
	}
	r, programs := newRelease(t)
	if err := r.writeDeb(t.Context(), programs[0]); err != nil {
		t.Fatal(err)
	}
	deb := filepath.Join(r.dir, "neargate_1.2.3~rc1_amd64.deb")
	for field, want := range map[string]string{"Package": "neargate", "Version": "1.2.3~rc1", "Architecture": "amd64"} {
		if got := strings.TrimSpace(output(t, "dpkg-deb", "-f", deb, field)); got != want {
			t.Errorf("%s is %q, want %q", field, got, want)
		}
	}
	contents := output(t, "dpkg-deb", "-c", deb)
	for _, want := range []string{"./usr/bin/neargate", "./lib/systemd/system/neargate.service", "./etc/default/neargate", "./usr/share/doc/neargate/changelog.md"} {
		if !strings.Contains(contents, want) {
			t.Errorf("the package lacks %s:\n%s", want, contents)
		}
	}
	for line := range strings.Lines(contents) {
		if !strings.Contains(line, " root/root ") {
			t.Errorf("not root's: %s", line)
		}
	}

	root := t.TempDir()
	for _, dir := range []string{"bin", "var/lib/dpkg/info", "var/lib/dpkg/updates"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	box, err := exec.LookPath("busybox")
	if err != nil {
		t.Fatal(err)
	}
	output(t, "cp", "-L", box, filepath.Join(root, "bin/sh"))
	output(t, "touch", filepath.Join(root, "var/lib/dpkg/status"))
	output(t, "dpkg", "--root="+root, "--install", deb)
	if st, err := os.Stat(filepath.Join(root, "usr/bin/neargate")); err != nil || st.Mode() != 0o755 {
		t.Errorf("the program: %v, %v", st, err)
	}
	output(t, "dpkg", "--root="+root, "--purge", "neargate")
	if _, err := os.Stat(filepath.Join(root, "etc/default/neargate")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("purge left the configuration: %v", err)
	}
}

// TestUnitIsValid asks systemd what it thinks of the unit.
func TestUnitIsValid(t *testing.T) {
	needs(t, "systemd-analyze")
	data, err := files.ReadFile("files/neargate.service")
	if err != nil {
		t.Fatal(err)
	}
	// The program need not be installed here.
	unit := filepath.Join(t.TempDir(), "neargate.service")
	text := strings.ReplaceAll(string(data), "/usr/bin/neargate", "/bin/true")
	if err := os.WriteFile(unit, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if out := output(t, "systemd-analyze", "verify", "--man=no", unit); out != "" {
		t.Errorf("systemd-analyze:\n%s", out)
	}
}

// layout is an image layout read from an archive.
type layout map[string][]byte

func readLayout(t *testing.T, file string) layout {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	l := layout{}
	for tr := tar.NewReader(f); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return l
		}
		if err != nil {
			t.Fatal(err)
		}
		if l[h.Name], err = io.ReadAll(tr); err != nil {
			t.Fatal(err)
		}
	}
}

// blob returns what a descriptor describes, after a look at size and digest.
func (l layout) blob(t *testing.T, d v1.Descriptor) []byte {
	t.Helper()
	data, ok := l["blobs/sha256/"+d.Digest.Encoded()]
	if !ok || int64(len(data)) != d.Size || digest.FromBytes(data) != d.Digest {
		t.Fatalf("blob %s: there %t, %d bytes, digest %s", d.Digest, ok, len(data), digest.FromBytes(data))
	}
	return data
}

func decode[T any](t *testing.T, data []byte) T {
	t.Helper()
	var v T
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestImageIsAValidLayout walks from the index to the files of each layer.
func TestImageIsAValidLayout(t *testing.T) {
	r, programs := newRelease(t)
	file := filepath.Join(r.dir, "image.oci.tar")
	if err := r.writeImage(file, programs); err != nil {
		t.Fatal(err)
	}
	l := readLayout(t, file)
	if got := decode[v1.ImageLayout](t, l["oci-layout"]).Version; got != "1.0.0" {
		t.Errorf("layout version %q", got)
	}
	top := decode[v1.Index](t, l["index.json"])
	if len(top.Manifests) != 1 || top.Manifests[0].Annotations[v1.AnnotationRefName] != "v1.2.3-rc1" {
		t.Fatalf("index.json: %+v", top.Manifests)
	}
	manifests := decode[v1.Index](t, l.blob(t, top.Manifests[0])).Manifests
	if len(manifests) != len(programs) {
		t.Fatalf("%d images, want %d", len(manifests), len(programs))
	}
	for i, d := range manifests {
		m := decode[v1.Manifest](t, l.blob(t, d))
		config := decode[v1.Image](t, l.blob(t, m.Config))
		if d.Platform.Architecture != programs[i].arch || config.Architecture != programs[i].arch {
			t.Errorf("image %d is for %s and %s, want %s", i, d.Platform.Architecture, config.Architecture, programs[i].arch)
		}
		zr, err := gzip.NewReader(bytes.NewReader(l.blob(t, m.Layers[0])))
		if err != nil {
			t.Fatal(err)
		}
		plain, err := io.ReadAll(zr)
		if err != nil || digest.FromBytes(plain) != config.RootFS.DiffIDs[0] {
			t.Errorf("layer of %s: %v, digest %s, want %s", programs[i].arch, err, digest.FromBytes(plain), config.RootFS.DiffIDs[0])
		}
		if !bytes.Contains(plain, []byte("echo "+programs[i].arch)) {
			t.Errorf("the layer of %s has another program", programs[i].arch)
		}
	}
}

func TestReleaseIsReproducible(t *testing.T) {
	r, programs := newRelease(t)
	var made [2][]byte
	for i := range made {
		file := filepath.Join(t.TempDir(), "image")
		if err := r.writeImage(file, programs); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		made[i] = data
	}
	if !bytes.Equal(made[0], made[1]) {
		t.Error("two images of the same program differ")
	}
}

func TestDebVersion(t *testing.T) {
	for version, want := range map[string]string{"v1.2.3": "1.2.3", "v1.2.3-rc1": "1.2.3~rc1", "v1.2.3-4-gabc": "1.2.3+4.gabc"} {
		if got := (release{version: version}).debVersion(); got != want {
			t.Errorf("%s: got %q, want %q", version, got, want)
		}
	}
}
