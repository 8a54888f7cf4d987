package truststore_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"neargate/internal/model"
	"neargate/internal/store"
	"neargate/internal/truststore"
)

// authority is one whose clients may be trusted.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

func newAuthority(t *testing.T, name string) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, SubjectKeyId: []byte(name),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return authority{cert, key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

// client is a certificate by the authority.
func (a authority) client(t *testing.T, serial int64) (*x509.Certificate, []byte) {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// list is the authority's list of revoked certificates, in DER.
func (a authority) list(t *testing.T, serials ...int64) []byte {
	t.Helper()
	template := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now(), NextUpdate: time.Now().Add(time.Hour)}
	for _, s := range serials {
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: big.NewInt(s), RevocationTime: time.Now()})
	}
	der, err := x509.CreateRevocationList(rand.Reader, template, a.cert, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func open(t *testing.T, changed func(string)) *truststore.TrustStores {
	t.Helper()
	db, err := store.Open(filepath.Join(t.TempDir(), "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	s, err := truststore.Open(db, truststore.Config{Place: model.Place{Region: "us-east-1", Account: "000000000000"}, OnChange: changed})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func codeOf(err error) string {
	if e, ok := errors.AsType[*model.Error](err); ok {
		return e.Code
	}
	return ""
}

func TestTrustFollowsItsStore(t *testing.T) {
	told := 0
	s := open(t, func(string) { told++ })
	one, two := newAuthority(t, "one"), newAuthority(t, "two")
	made, err := s.Create(t.Context(), "clients", append(bytes.Clone(one.pem), two.pem...), nil)
	if err != nil || made.Count != 2 {
		t.Fatalf("%d authorities, %v", made.Count, err)
	}
	mine, _ := one.client(t, 7)
	theirs, _ := two.client(t, 7)
	trusted := func(c *x509.Certificate) bool {
		t.Helper()
		trust, err := s.Trust(made.ARN)
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Verify(x509.VerifyOptions{Roots: trust.Pool(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
		return err == nil && !trust.Revoked(c)
	}
	if !trusted(mine) || !trusted(theirs) {
		t.Error("a client of an authority is not trusted")
	}
	added, err := s.Revoke(t.Context(), made.ARN, [][]byte{one.list(t, 7, 8), pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: two.list(t, 9)})})
	if err != nil || len(added) != 2 || added[0].ID != 1 || added[0].Count != 2 || added[1].ID != 2 {
		t.Fatalf("added %+v, %v", added, err)
	}
	if trusted(mine) || !trusted(theirs) {
		t.Error("the wrong one is revoked: a serial number counts for its issuer alone")
	}
	if err := s.Reinstate(t.Context(), made.ARN, []int64{1, 3}); codeOf(err) != "RevocationIdNotFound" || trusted(mine) {
		t.Errorf("a list that there is not was removed: %v", err)
	}
	if err := s.Reinstate(t.Context(), made.ARN, []int64{1}); err != nil || !trusted(mine) {
		t.Errorf("still revoked: %v", err)
	}
	if again, err := s.Revoke(t.Context(), made.ARN, [][]byte{one.list(t, 7)}); err != nil || again[0].ID != 3 {
		t.Errorf("an ID was used twice: %+v, %v", again, err)
	}
	if _, err := s.Replace(t.Context(), made.ARN, two.pem); err != nil || trusted(mine) || !trusted(theirs) {
		t.Errorf("replaced: %v", err)
	}
	if told != 4 {
		t.Errorf("told of %d changes, want 4", told)
	}
	if err := s.Delete(t.Context(), made.ARN); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Trust(made.ARN); codeOf(err) != "TrustStoreNotFound" {
		t.Errorf("after its end: %v", err)
	}
}

func TestBadBundlesAndLists(t *testing.T) {
	s := open(t, nil)
	a := newAuthority(t, "one")
	_, leaf := a.client(t, 1)
	made, err := s.Create(t.Context(), "clients", a.pem, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, bundle := range map[string][]byte{
		"nothing":          nil,
		"garbage":          []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
		"no PEM":           []byte("hello\x00"),
		"no authority":     leaf,
		"one too many":     bytes.Repeat(a.pem, 26),
		"5 MB":             bytes.Repeat(a.pem, 5<<20/len(a.pem)),
		"a key in between": append(bytes.Clone(a.pem), "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"...),
	} {
		if _, err := s.Create(t.Context(), "other", bundle, nil); codeOf(err) != "InvalidCaCertificatesBundle" {
			t.Errorf("%s: created, %v", name, err)
		}
		if _, err := s.Replace(t.Context(), made.ARN, bundle); codeOf(err) != "InvalidCaCertificatesBundle" {
			t.Errorf("%s: replaced, %v", name, err)
		}
	}
	for name, list := range map[string][]byte{"nothing": nil, "garbage": []byte("x"), "a certificate": a.pem, "huge": make([]byte, truststore.MaxList+1)} {
		if _, err := s.Revoke(t.Context(), made.ARN, [][]byte{list}); codeOf(err) != "InvalidRevocationContent" {
			t.Errorf("%s: %v", name, err)
		}
	}
	lists := make([][]byte, 31)
	for i := range lists {
		lists[i] = a.list(t, int64(i))
	}
	if _, err := s.Revoke(t.Context(), made.ARN, lists); codeOf(err) != "TooManyTrustStoreRevocationEntries" {
		t.Errorf("31 lists: %v", err)
	}
	if got, _ := s.Get(made.ARN); len(got.Revoked) > 0 || got.Bundle != string(a.pem) {
		t.Error("a refused change left something")
	}
}

func TestNamesAreUnique(t *testing.T) {
	s := open(t, nil)
	a := newAuthority(t, "one")
	var all sync.WaitGroup
	var made atomic.Int32
	for range 8 {
		all.Go(func() {
			switch _, err := s.Create(t.Context(), "clients", a.pem, nil); {
			case err == nil:
				made.Add(1)
			case codeOf(err) != "DuplicateTrustStoreName":
				t.Error(err)
			}
		})
	}
	all.Wait()
	if made.Load() != 1 || len(s.List()) != 1 {
		t.Errorf("%d were made, %d are there", made.Load(), len(s.List()))
	}
}
