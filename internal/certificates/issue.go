package certificates

import (
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"time"

	"neargate/internal/decide/renewal"
	"neargate/internal/model"
)

// issuer signs certificates.
type issuer interface {
	// Issue returns a certificate for the holder of a key and names, in PEM, with
	// those that it is signed by, but for the root. An error that no repetition
	// mends wraps a *RejectedError.
	Issue(ctx context.Context, holder crypto.Signer, names []string) (chain []byte, err error)
}

// Public is an issuer that everybody trusts, for names of one domain.
type Public struct {
	Domain string
	Issuer issuer
}

// RejectedError is why an issuer will never sign a certificate.
type RejectedError struct {
	Reason string // in AWS's words: "CAA_ERROR"
	Err    error
}

// Error implements error.
func (r *RejectedError) Error() string { return "rejected (" + r.Reason + "): " + r.Err.Error() }

// Unwrap returns the cause.
func (r *RejectedError) Unwrap() error { return r.Err }

// public reports whether names are those of the public issuer.
func (c *Certificates) public(names []string) bool {
	if c.cfg.Public == nil {
		return false
	}
	for _, name := range names {
		if name != c.cfg.Public.Domain && !strings.HasSuffix(name, "."+c.cfg.Public.Domain) {
			return false
		}
	}
	return true
}

// order has a certificate issued, with a new key, and returns its record anew.
func (c *Certificates) order(ctx context.Context, r Certificate) (Certificate, error) {
	private, err := newKey(r.Request.Algorithm)
	if err != nil {
		return r, err
	}
	by := c.cfg.Issuer
	if c.public(r.Request.Names) {
		by = c.cfg.Public.Issuer
	}
	chain, err := by.Issue(ctx, private, r.Request.Names)
	if err != nil {
		return r, fmt.Errorf("issue a certificate for %s: %w", r.Request.Names[0], err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return r, err
	}
	key := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if _, err := tls.X509KeyPair(chain, key); err != nil {
		return r, fmt.Errorf("issue a certificate for %s: what was issued: %w", r.Request.Names[0], err)
	}
	r.Chain, r.Sealed = string(chain), c.cfg.Key.Seal(key, r.ARN)
	r.IssuedAt = c.now().UTC()
	r.Order.Failures, r.Order.FailedAt = 0, time.Time{}
	return r, nil
}

// patience is how long one order may take.
const patience = 5 * time.Minute

// issueDue issues the certificates that are due, one after the other.
func (c *Certificates) issueDue(ctx context.Context) {
	for _, r := range c.table.List("") {
		if r.Type != Issued || r.Order.over() || ctx.Err() != nil {
			continue
		}
		switch r.renewal(len(c.Users(r.ARN)) > 0).Decide(c.now()) {
		case renewal.Wait:
		case renewal.Lapse:
			c.cfg.Log.Warn("certificate not issued: nobody proved in time whose the names are", "certificate", r.ARN, "names", r.Request.Names)
			c.note(ctx, r.ARN, func(r *Certificate) { r.Order.TimedOut = true })
		case renewal.Order:
			// Failures are kept and logged; the next turn tries again.
			_ = c.carryOut(ctx, r)
		}
	}
}

// carryOut orders one certificate, and keeps what became of it.
func (c *Certificates) carryOut(ctx context.Context, r Certificate) error {
	renewing := r.Chain != ""
	if renewing {
		c.note(ctx, r.ARN, func(r *Certificate) { r.Order.Renewal, r.Order.RenewedAt = RenewalPending, c.now().UTC() })
	}
	limited, cancel := context.WithTimeout(ctx, patience)
	made, err := c.order(limited, r)
	cancel()
	if ctx.Err() != nil {
		return context.Cause(ctx) // the server ends: the next one orders again
	}
	if err != nil {
		c.cfg.Log.Warn("certificate not issued", "certificate", r.ARN, "names", r.Request.Names, "attempt", r.Order.Failures+1, "error", err)
		c.note(ctx, r.ARN, func(r *Certificate) { r.failed(err, c.now().UTC()) })
		return err
	}
	c.note(ctx, r.ARN, func(r *Certificate) {
		r.Chain, r.Sealed, r.IssuedAt = made.Chain, made.Sealed, made.IssuedAt
		r.Order = Order{}
		if renewing {
			r.Order.Renewal, r.Order.RenewedAt = RenewalSuccess, made.IssuedAt
		}
	})
	c.cfg.Log.Info("certificate issued", "certificate", r.ARN, "names", r.Request.Names, "expires", made.Leaf().NotAfter)
	c.changed(r.ARN)
	return nil
}

// failed takes down an order that was not met.
func (r *Certificate) failed(err error, now time.Time) {
	r.Order.Failures++
	r.Order.FailedAt = now
	rejected, final := errors.AsType[*RejectedError](err)
	switch {
	case r.Chain != "":
		r.Order.Renewal, r.Order.RenewedAt = RenewalFailed, now
	case final:
		r.Order.Failure = rejected.Reason
	}
}

// note changes a record that is still there.
func (c *Certificates) note(ctx context.Context, arn string, change func(*Certificate)) {
	_, err := c.table.Update(ctx, arn, func(cur Certificate, exists bool) (Certificate, error) {
		if !exists {
			return cur, NotFound(arn)
		}
		change(&cur)
		return cur, nil
	})
	if err != nil && !IsNotFound(err) && ctx.Err() == nil {
		c.cfg.Log.Error("certificate not kept", "certificate", arn, "error", err)
	}
}

// Renew has a certificate issued anew, whether it is due or not. Codes:
// ResourceNotFoundException, ValidationException, RequestInProgressException.
func (c *Certificates) Renew(ctx context.Context, arn string) error {
	r, ok := c.Get(arn)
	switch {
	case !ok:
		return NotFound(arn)
	case r.Type != Issued:
		return invalid("Certificate %s was imported: renew it where it was issued, and import it again.", arn)
	case r.Order.over():
		return invalid("Certificate %s has status %s and cannot be renewed.", arn, r.Status(c.now()))
	case r.Chain == "":
		return InProgress(arn)
	}
	if !c.public(r.Request.Names) {
		return c.carryOut(ctx, r)
	}
	c.note(ctx, arn, func(r *Certificate) { r.Order = Order{Renewal: RenewalPending, RenewedAt: c.now().UTC()} })
	c.wake()
	return nil
}

// InProgress is the error of a certificate that is not issued yet.
func InProgress(arn string) error {
	return model.Errorf(model.Conflict, "RequestInProgressException", "The certificate request for %s is in progress: it is not issued yet.", arn)
}
