package certificates

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"os"
	"time"
)

// File is a certificate in files, which whoever renews it replaces.
type File struct {
	Cert string // PEM: the certificate, then those it is signed by
	Key  string // PEM; "": it is in Cert
}

// key is the file with the private key.
func (f File) key() string {
	if f.Key == "" {
		return f.Cert
	}
	return f.Key
}

// followed is a certificate in files as it was last read.
type followed struct {
	File
	arn    string
	pair   *tls.Certificate
	seen   [2]version // of the certificate's file and the key's
	failed [2]version // that could not be read
	at     time.Time
}

// version is what changes with a file's content.
type version struct {
	changed time.Time
	size    int64
}

// look returns the versions that the files have now. Links are followed, as
// renewals often replace one.
func (f File) look() (now [2]version) {
	for i, path := range []string{f.Cert, f.key()} {
		if info, err := os.Stat(path); err == nil {
			now[i] = version{info.ModTime(), info.Size()}
		}
	}
	return now
}

// read reads the files.
func (f *followed) read() error {
	seen := f.look()
	pair, err := tls.LoadX509KeyPair(f.Cert, f.key())
	if err != nil {
		return fmt.Errorf("read certificate %s: %w", f.Cert, err)
	}
	f.pair, f.seen, f.at = &pair, seen, seen[0].changed
	return nil
}

func (f *followed) record() Certificate {
	var chain []byte
	for _, der := range f.pair.Certificate {
		chain = append(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	return Certificate{ARN: f.arn, Chain: string(chain), Type: Imported, CreatedAt: f.at, ImportedAt: f.at}
}

// fileARN is the ARN of a certificate in a file: it follows from the file's path,
// so that it stays the same.
func (c *Certificates) fileARN(f File) string {
	sum := sha256.Sum256([]byte(f.Cert))
	id := hex.EncodeToString(sum[:16])
	return c.cfg.Place.CertificateARN(id[:8] + "-" + id[8:12] + "-" + id[12:16] + "-" + id[16:20] + "-" + id[20:])
}

// ofFile reports whether a certificate is read from a file.
func (c *Certificates) ofFile(arn string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.files[arn]
	return ok
}

// follow rereads the files each second until ctx ends, and returns its cause. One
// that cannot be read any more, or does not fit its key yet, leaves the one before
// in force.
func (c *Certificates) follow(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
			for _, arn := range c.reread() {
				c.cfg.OnChange(arn)
			}
		}
	}
}

// reread reads the files that have changed, and returns the ARNs of those that are
// in force now.
func (c *Certificates) reread() (changed []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for arn, f := range c.files {
		now := f.look()
		if now == f.seen || now == f.failed {
			continue
		}
		if err := f.read(); err != nil {
			f.failed = now
			c.cfg.Log.Warn("certificate not replaced", "file", f.Cert, "error", err)
			continue
		}
		c.cfg.Log.Info("certificate replaced", "file", f.Cert, "certificate", arn, "expires", f.pair.Leaf.NotAfter)
		changed = append(changed, arn)
	}
	return changed
}
