package certificates

import (
	"context"
	"strings"

	"neargate/internal/model"
	"neargate/internal/random"
)

// Import is a certificate to be imported.
type Import struct {
	ARN                     string // of the one that it replaces; "": it is new
	Certificate, Key, Chain []byte // PEM; Chain may be empty
	Tags                    []model.Tag
}

// Import keeps a certificate and returns its record; listeners that show the one it
// replaces follow. Codes:
// ResourceNotFoundException, ValidationException.
func (c *Certificates) Import(ctx context.Context, in Import) (Certificate, error) {
	if err := c.check(in); err != nil {
		return Certificate{}, err
	}
	if c.ofFile(in.ARN) {
		return Certificate{}, errFile(in.ARN)
	}
	arn := in.ARN
	if arn == "" {
		arn = c.cfg.Place.CertificateARN(random.UUID())
	}
	now := c.now().UTC()
	made, err := c.table.Update(ctx, arn, func(cur Certificate, exists bool) (Certificate, error) {
		switch {
		case in.ARN != "" && !exists:
			return cur, NotFound(arn)
		case exists && cur.Type != Imported:
			return cur, invalid("Certificate %s was requested: only an imported certificate can be imported again.", arn)
		case !exists:
			cur = Certificate{ARN: arn, Type: Imported, CreatedAt: now, Tags: in.Tags}
		}
		cur.Chain = joined(in.Certificate, in.Chain)
		cur.Sealed = c.cfg.Key.Seal(in.Key, arn)
		cur.ImportedAt = now
		return cur, nil
	})
	if err != nil {
		return made, err
	}
	c.changed(arn)
	return made, nil
}

// joined is PEM behind PEM.
func joined(parts ...[]byte) string {
	var out strings.Builder
	for _, p := range parts {
		if text := strings.TrimSpace(string(p)); text != "" {
			out.WriteString(text + "\n")
		}
	}
	return out.String()
}
