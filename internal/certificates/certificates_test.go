package certificates

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"neargate/internal/certs"
	"neargate/internal/model"
	"neargate/internal/store"
	"neargate/internal/store/sealed"
)

// shelf is certificates over a state, with an authority to make some.
type shelf struct {
	*Certificates
	*certs.Authority
	local   *signer
	public  *signer // of public.test
	used    string  // the ARN of a certificate that is shown
	at      time.Time
	dir     string
	changed []string
}

// signer issues certificates, or fails.
type signer struct {
	shelf  *shelf
	fail   error
	orders int
}

func (s *signer) Issue(_ context.Context, holder crypto.Signer, names []string) ([]byte, error) {
	s.orders++
	if s.fail != nil {
		return nil, s.fail
	}
	return s.shelf.Sign(holder.Public(), names, s.shelf.at, 90*24*time.Hour)
}

func (s *shelf) CertificateUsers(arn string) []string {
	if arn == s.used {
		return []string{"a load balancer"}
	}
	return nil
}

func (s *shelf) UnlessShown(arn string, do func() error) ([]string, error) {
	if arn == s.used {
		return s.CertificateUsers(arn), nil
	}
	return nil, do()
}

func open(t *testing.T, dir string, files ...File) *shelf {
	t.Helper()
	db, err := store.Open(filepath.Join(dir, "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	s := &shelf{dir: dir, at: time.Now()}
	s.local, s.public = &signer{shelf: s}, &signer{shelf: s}
	key, err := sealed.OpenKey(filepath.Join(dir, "key"))
	if err == nil {
		s.Authority, err = certs.OpenAuthority(dir, time.Now())
	}
	if err == nil {
		s.Certificates, err = Open(db, Config{
			Place: model.Place{Region: "us-east-1", Account: "000000000000"}, Key: key, Issuer: s.local, Public: &Public{"public.test", s.public}, Files: files, Users: s,
			OnChange: func(arn string) { s.changed = append(s.changed, arn) }, Log: slog.New(slog.DiscardHandler),
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	s.now = func() time.Time { return s.at }
	return s
}

func (s *shelf) issue(t *testing.T, name string, life time.Duration) (cert, key []byte) {
	t.Helper()
	cert, key, err := s.Issue([]string{name}, time.Now(), life)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

func TestImportIsKept(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	cert, key := s.issue(t, "www.test", time.Hour)
	made, err := s.Import(t.Context(), Import{Certificate: cert, Key: key, Chain: s.Root()})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(made.ARN, "arn:aws:acm:us-east-1:000000000000:certificate/") || len(s.changed) != 1 {
		t.Errorf("made %s, told of %v", made.ARN, s.changed)
	}
	pair, err := s.Certificate(made.ARN)
	if err != nil || len(pair.Certificate) != 2 || pair.Leaf.DNSNames[0] != "www.test" {
		t.Fatalf("got %v, %v", pair, err)
	}
	next, nextKey := s.issue(t, "www.test", 2*time.Hour)
	if _, err := s.Import(t.Context(), Import{ARN: made.ARN, Certificate: next, Key: nextKey}); err != nil {
		t.Fatal(err)
	}
	if again, err := s.Certificate(made.ARN); err != nil || again.Leaf.Equal(pair.Leaf) {
		t.Errorf("the certificate before is still shown: %v", err)
	}
	state, err := os.ReadFile(filepath.Join(dir, "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(nextKey)
	if bytes.Contains(state, block.Bytes[40:72]) || bytes.Contains(state, []byte("PRIVATE KEY")) {
		t.Error("the private key stands in the state")
	}
	if err := s.Delete(t.Context(), made.ARN); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Certificate(made.ARN); !IsNotFound(err) {
		t.Errorf("a deleted certificate: %v", err)
	}
}

func TestBadImports(t *testing.T) {
	s := open(t, t.TempDir())
	cert, key := s.issue(t, "www.test", time.Hour)
	other, otherKey := s.issue(t, "www.test", time.Hour)
	old, oldKey := s.issue(t, "www.test", -time.Minute)
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	self := func(change func(*x509.Certificate), pub, priv any) (cert, key []byte) {
		template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "www.test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
		change(template)
		der, err := x509.CreateCertificate(rand.Reader, template, template, pub, priv)
		if err != nil {
			t.Fatal(err)
		}
		keyDER, err := x509.MarshalPKCS8PrivateKey(priv)
		if err != nil {
			t.Fatal(err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	edCert, edKey := self(func(*x509.Certificate) {}, public, private)
	early, earlyKey := self(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) }, ecKey.Public(), ecKey)
	smallKey, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p224, p224Key := self(func(*x509.Certificate) {}, smallKey.Public(), smallKey)
	huge, hugeKey := self(func(c *x509.Certificate) {
		for range 4000 {
			c.DNSNames = append(c.DNSNames, "a.name.of.a.host.test")
		}
	}, ecKey.Public(), ecKey)
	for name, row := range map[string]struct {
		in   Import
		code string
	}{
		"nothing":             {Import{}, "ValidationException"},
		"no PEM":              {Import{Certificate: []byte("hello"), Key: key}, "ValidationException"},
		"the key as cert":     {Import{Certificate: key, Key: key}, "ValidationException"},
		"two certificates":    {Import{Certificate: append(bytes.Clone(cert), other...), Key: key}, "ValidationException"},
		"another's key":       {Import{Certificate: cert, Key: otherKey}, "ValidationException"},
		"no key":              {Import{Certificate: cert}, "ValidationException"},
		"expired":             {Import{Certificate: old, Key: oldKey}, "ValidationException"},
		"not valid yet":       {Import{Certificate: early, Key: earlyKey}, "ValidationException"},
		"Ed25519":             {Import{Certificate: edCert, Key: edKey}, "ValidationException"},
		"huge":                {Import{Certificate: huge, Key: hugeKey}, "ValidationException"},
		"P-224":               {Import{Certificate: p224, Key: p224Key}, "ValidationException"},
		"a chain of 5 MB":     {Import{Certificate: cert, Key: key, Chain: bytes.Repeat(cert, 5<<20/len(cert))}, "ValidationException"},
		"a long chain":        {Import{Certificate: cert, Key: key, Chain: bytes.Repeat(cert, 6)}, "ValidationException"},
		"NUL":                 {Import{Certificate: []byte("\x00" + string(cert[1:])), Key: key}, "ValidationException"},
		"a chain of another":  {Import{Certificate: cert, Key: key, Chain: other}, "ValidationException"},
		"a chain of garbage":  {Import{Certificate: cert, Key: key, Chain: []byte("x")}, "ValidationException"},
		"one that is missing": {Import{ARN: "arn:aws:acm:us-east-1:000000000000:certificate/x", Certificate: cert, Key: key}, "ResourceNotFoundException"},
	} {
		_, err := s.Import(t.Context(), row.in)
		if e, ok := errors.AsType[*model.Error](err); !ok || e.Code != row.code {
			t.Errorf("%s: got %v, want %s", name, err, row.code)
		}
	}
	if n := len(s.List()); n > 0 {
		t.Errorf("%d were kept", n)
	}
}

// A certificate in files is the one that is there now, as long as it fits its key.
func TestFilesAreFollowed(t *testing.T) {
	dir := t.TempDir()
	f := File{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	write := func(path string, content []byte) {
		t.Helper()
		if err := os.WriteFile(path+".new", content, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			t.Fatal(err)
		}
	}
	maker := open(t, t.TempDir())
	cert, key := maker.issue(t, "one.test", time.Hour)
	write(f.Cert, cert)
	write(f.Key, key)
	s := open(t, t.TempDir(), f)
	arn := s.List()[0].ARN
	shown := func() string {
		pair, err := s.Certificate(arn)
		if err != nil {
			t.Fatal(err)
		}
		return pair.Leaf.DNSNames[0]
	}
	if got := shown(); got != "one.test" || len(s.reread()) > 0 {
		t.Fatalf("%s is shown, or it has changed", got)
	}
	cert, key = maker.issue(t, "another.test", time.Hour) // of another length
	write(f.Cert, cert)
	if got := s.reread(); len(got) > 0 || shown() != "one.test" {
		t.Errorf("a certificate without its key is shown: %v", got)
	}
	write(f.Key, key)
	if got := s.reread(); len(got) != 1 || got[0] != arn || shown() != "another.test" {
		t.Errorf("the new certificate is not shown: %v", got)
	}
	if err := os.Remove(f.Cert); err != nil {
		t.Fatal(err)
	}
	if got := s.reread(); len(got) > 0 || shown() != "another.test" {
		t.Error("without its file the certificate is gone")
	}
	if _, err := s.Import(t.Context(), Import{ARN: arn, Certificate: cert, Key: key}); model.KindOf(err) != model.Invalid {
		t.Errorf("a certificate of a file is imported: %v", err)
	}
}
