package certs

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var start = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// trusted reports whether a client that trusts the file ca takes cert for name.
func trusted(t *testing.T, dir string, cert tls.Certificate, name string, at time.Time) error {
	t.Helper()
	ca, err := os.ReadFile(filepath.Join(dir, AuthorityFile))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		t.Fatalf("%s is no certificate", ca)
	}
	_, err = cert.Leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: roots, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}})
	return err
}

func issued(t *testing.T, dir string, at time.Time, names ...string) tls.Certificate {
	t.Helper()
	cert, err := SelfSigned(dir, names, at)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if err := trusted(t, dir, cert, name, at); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	return cert
}

func TestCertificateIsKeptWhileItServes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tls")
	first := issued(t, dir, start, "box.lan", "192.0.2.7", "::1")
	if err := trusted(t, dir, first, "other.lan", start); err == nil {
		t.Error("taken for a name that it is not for")
	}
	if again := issued(t, dir, start.Add(time.Hour), "box.lan"); !bytes.Equal(again.Leaf.Raw, first.Leaf.Raw) {
		t.Error("a certificate that is still good was replaced")
	}
	if err := trusted(t, dir, issued(t, dir, start, "new.lan"), "new.lan", start); err != nil {
		t.Errorf("after a new name: %v", err)
	}
	ca, err := os.ReadFile(filepath.Join(dir, AuthorityFile))
	if err != nil {
		t.Fatal(err)
	}
	late := start.Add(serverLife - time.Hour)
	issued(t, dir, late, "new.lan")
	if now, err := os.ReadFile(filepath.Join(dir, AuthorityFile)); err != nil || !bytes.Equal(now, ca) {
		t.Errorf("the authority changed with the certificate (%v): clients would have to trust anew", err)
	}
	issued(t, dir, start.Add(authorityLife-time.Hour), "new.lan") // a new authority
}

func TestKeysAreTheOwnersAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tls")
	issued(t, dir, start, "box.lan")
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v, %v, want no rights for others", f.Name(), info.Mode(), err)
		}
	}
	if len(files) != 3 {
		t.Errorf("%v, want three files", files)
	}
}

func TestDamagedCertificateIsNamed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tls")
	issued(t, dir, start, "box.lan")
	if err := os.WriteFile(filepath.Join(dir, serverPair), []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := SelfSigned(dir, []string{"box.lan"}, start); err == nil {
		t.Error("taken")
	}
}
