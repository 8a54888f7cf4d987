package certificates

import (
	"context"
	"time"

	"neargate/internal/model"
	"neargate/internal/random"
)

// requestedLife is how long a requested certificate is valid, as a public one of
// AWS's: 198 days since 2026.
const requestedLife = 198 * 24 * time.Hour

// issuer is the authority that signs requested certificates.
type issuer interface {
	// Issue returns a certificate for names and its private key, in PEM.
	Issue(names []string, now time.Time, life time.Duration) (cert, key []byte, err error)
}

// Request issues a certificate for names by the server's own authority, and keeps
// it. Nobody is asked whether the names are the caller's: only clients that trust
// the authority believe it.
func (c *Certificates) Request(ctx context.Context, names []string, tags []model.Tag) (Certificate, error) {
	now := c.now().UTC()
	cert, key, err := c.cfg.Issuer.Issue(names, now, requestedLife)
	if err != nil {
		return Certificate{}, err
	}
	arn := c.cfg.Place.CertificateARN(random.UUID())
	made := Certificate{
		ARN: arn, Chain: string(cert), Sealed: c.cfg.Key.Seal(key, arn), Type: "AMAZON_ISSUED", Tags: tags, CreatedAt: now,
	}
	return made, c.table.Put(ctx, arn, made)
}
