package balancer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"neargate/internal/balancer/front"
	"neargate/internal/decide/handshake"
	"neargate/internal/model"
)

// checkSecure returns what stands against a listener's TLS: its certificates must
// be there, and its policy of the same kind as those of the load balancer's other
// listeners (describe-ssl-policies, "FIPS security policies").
func (b *Balancer) checkSecure(l model.Listener) error {
	if l.Protocol != "HTTPS" {
		return nil
	}
	policy, ok := handshake.Lookup(l.SSLPolicy)
	if !ok {
		return model.Errorf(model.NotFound, "SSLPolicyNotFound", "SSL policy '%s' not found", l.SSLPolicy)
	}
	for _, arn := range l.Certificates {
		if _, err := b.certificate(arn); err != nil {
			return err
		}
	}
	if _, err := b.clients(l.Mutual); err != nil {
		return err
	}
	for _, other := range b.Listeners(l.LoadBalancerARN) {
		theirs, secure := handshake.Lookup(other.SSLPolicy)
		if secure && other.ARN != l.ARN && theirs.FIPS() != policy.FIPS() {
			return model.Errorf(model.Conflict, "InvalidConfigurationRequest",
				"FIPS and non-FIPS security policies cannot be mixed: listener '%s' has '%s'", other.ARN, other.SSLPolicy)
		}
	}
	return nil
}

// certificate returns a certificate that a listener is to show.
func (b *Balancer) certificate(arn string) (front.Certificate, error) {
	if b.cfg.Certificates == nil {
		return front.Certificate{}, errNoCertificate(arn, nil)
	}
	pair, err := b.cfg.Certificates.Certificate(arn)
	if model.KindOf(err) == model.NotFound || model.KindOf(err) == model.Invalid {
		return front.Certificate{}, errNoCertificate(arn, err)
	}
	return front.Certificate{ARN: arn, Pair: pair}, err
}

func errNoCertificate(arn string, why error) error {
	e := model.Errorf(model.NotFound, "CertificateNotFound", "Certificate '%s' not found", arn)
	e.Err = why
	return e
}

// secure puts in force how a listener speaks, by its record. One of HTTPS with no
// certificate that can be read serves nobody.
func (b *Balancer) secure(live *listener, l model.Listener) {
	live.https.Store(l.Protocol == "HTTPS")
	live.settings.Store(live.lb.conf.Load().at(live))
	live.secure.Store(b.makeTLS(live, l))
}

func (b *Balancer) makeTLS(live *listener, l model.Listener) *front.TLS {
	if l.Protocol != "HTTPS" {
		return nil
	}
	asked, err := b.clients(l.Mutual)
	if err != nil {
		b.log.Error("trust store of a listener", "listener", l.ARN, "trust_store", l.Mutual.TrustStoreARN, "error", err)
		return nil
	}
	cfg := front.TLSConfig{
		Note: live, Clients: asked, Protocols: live.lb.conf.Load().protocols(), Tickets: b.tickets, Scope: scope(l),
	}
	cfg.Policy, _ = handshake.Lookup(l.SSLPolicy)
	for _, arn := range l.Certificates {
		c, err := b.certificate(arn)
		if err != nil {
			b.log.Error("certificate of a listener", "listener", l.ARN, "certificate", arn, "error", err)
			continue
		}
		cfg.Certificates = append(cfg.Certificates, c)
	}
	if len(cfg.Certificates) == 0 || len(cfg.Policy.Protocols) == 0 {
		return nil
	}
	return front.NewTLS(cfg)
}

// clients is what a listener asks its clients for. TrustStoreNotFound.
func (b *Balancer) clients(m model.MutualAuthentication) (c front.Clients, err error) {
	switch m.Mode {
	case "passthrough":
		c.Mode = front.PassClients
	case "verify":
		if b.cfg.TrustStores == nil {
			return c, model.Errorf(model.NotFound, "TrustStoreNotFound", "Trust store '%s' not found", m.TrustStoreARN)
		}
		c.Mode, c.Advertise, c.IgnoreExpiry = front.VerifyClients, m.AdvertiseCAs, m.IgnoreExpiry
		c.Trusted, c.Revoked, err = b.cfg.TrustStores.Trusted(m.TrustStoreARN)
	}
	return c, err
}

// scope is what the TLS sessions of a listener are bound to: those that were
// agreed on under another demand of client certificates are not resumed.
func scope(l model.Listener) string {
	return fmt.Sprintf("%s %s %+v", l.ARN, l.SSLPolicy, l.Mutual)
}

// ticketsKey is the one record of the table of session tickets.
const ticketsKey = "secrets"

// sealedTickets are the secrets of session tickets, encrypted.
type sealedTickets struct{ Sealed []byte }

// openTickets reads the secrets of session tickets of an earlier run, so that a
// restart does not end its clients' sessions. Secrets that cannot be read are
// replaced.
func (b *Balancer) openTickets() {
	var kept []front.Secret
	if r, ok := b.tables.tickets.Get(ticketsKey); ok && b.cfg.Key != nil {
		if plain, ok := b.cfg.Key.Open(r.Sealed, ticketsKey); ok {
			if err := json.Unmarshal(plain, &kept); err != nil {
				b.log.Warn("secrets of session tickets not read", "error", err)
			}
		}
	}
	b.tickets = front.NewTickets(kept)
}

// rotate makes a new secret of session tickets where it is time, and some listener
// speaks TLS.
func (b *Balancer) rotate(ctx context.Context, now time.Time) {
	if !slices.ContainsFunc(b.Listeners(""), func(l model.Listener) bool { return l.Protocol == "HTTPS" }) {
		return
	}
	secrets, rotated := b.tickets.Rotate(now)
	if !rotated {
		return
	}
	b.mu.RLock()
	for _, l := range b.listeners {
		if t := l.secure.Load(); t != nil {
			t.Rekey()
		}
	}
	b.mu.RUnlock()
	if b.cfg.Key == nil {
		return
	}
	plain, err := json.Marshal(secrets)
	if err == nil {
		err = b.tables.tickets.Put(ctx, ticketsKey, sealedTickets{b.cfg.Key.Seal(plain, ticketsKey)})
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		b.log.Warn("secrets of session tickets not kept", "error", err)
	}
}
