package app

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"time"

	"neargate/internal/certs"
)

// TLS is how the APIs are encrypted. The zero value is plain HTTP.
type TLS struct {
	Cert, Key  string // PEM files
	SelfSigned bool   // by an authority in the data directory
}

func (t TLS) on() bool { return t.SelfSigned || t.Cert != "" }

func (t TLS) check() error {
	switch {
	case (t.Cert == "") != (t.Key == ""):
		return errors.New("tls-cert and tls-key: want both")
	case t.SelfSigned && t.Cert != "":
		return errors.New("tls self-signed and tls-cert: want one of them")
	}
	return nil
}

// secure puts TLS over the listener where that is wanted, and returns the file
// of the authority that clients have to trust, if it is one of our own.
func (c Config) secure(l net.Listener) (net.Listener, string, error) {
	if !c.TLS.on() {
		return l, "", nil
	}
	cert, authority, err := c.certificate(l.Addr())
	if err != nil {
		return l, "", err
	}
	return tls.NewListener(l, &tls.Config{
		Certificates: []tls.Certificate{cert},
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"http/1.1"}, // as AWS's endpoints speak it
	}), authority, nil
}

func (c Config) certificate(bound net.Addr) (cert tls.Certificate, authority string, err error) {
	if c.TLS.SelfSigned {
		dir := filepath.Join(c.Data, authorityDir)
		cert, err = certs.SelfSigned(dir, c.names(bound), time.Now())
		return cert, filepath.Join(dir, certs.AuthorityFile), err
	}
	if cert, err = tls.LoadX509KeyPair(c.TLS.Cert, c.TLS.Key); err != nil {
		return cert, "", fmt.Errorf("read the certificate: %w", err)
	}
	return cert, "", nil
}
