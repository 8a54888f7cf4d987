package balancer

import (
	"crypto/tls"
	"crypto/x509"
	"slices"
	"strings"

	"neargate/internal/model"
)

// certificates are where HTTPS listeners have their certificates from.
type certificates interface {
	// Certificate returns the certificate with an ARN, with its chain and private
	// key. What changes of one, Balancer.CertificateChanged is told.
	Certificate(arn string) (*tls.Certificate, error)
}

// trustStores are by what listeners verify their clients.
type trustStores interface {
	// Trusted returns the authorities of the trust store with an ARN, and what
	// reports whether they revoked a certificate. What changes of one,
	// Balancer.TrustStoreChanged is told.
	Trusted(arn string) (authorities *x509.CertPool, revoked func(*x509.Certificate) bool, err error)
}

// CertificateChanged puts a changed certificate in force at the listeners that
// show it, for connections to come.
func (b *Balancer) CertificateChanged(arn string) {
	b.resecureAll(shows(arn))
}

// TrustStoreChanged has the listeners that verify their clients by a trust store
// do so by its new content, for connections to come.
func (b *Balancer) TrustStoreChanged(arn string) { b.resecureAll(trusts(arn)) }

// shows returns whether listeners show a certificate.
func shows(arn string) func(model.Listener) bool {
	return func(l model.Listener) bool { return slices.Contains(l.Certificates, arn) }
}

// trusts returns whether listeners verify their clients by a trust store.
func trusts(arn string) func(model.Listener) bool {
	return func(l model.Listener) bool { return l.Mutual.TrustStoreARN == arn }
}

// resecureAll makes the TLS anew of the listeners that are wanted.
func (b *Balancer) resecureAll(wanted func(model.Listener) bool) {
	b.control.Lock()
	defer b.control.Unlock()
	for _, l := range b.Listeners("") {
		if wanted(l) {
			b.resecure(l)
		}
	}
}

// resecure makes a listener's TLS anew. It wants b.control held.
func (b *Balancer) resecure(l model.Listener) {
	b.mu.RLock()
	live, known := b.listeners[l.ARN]
	b.mu.RUnlock()
	if known {
		b.secure(live, l)
		b.front.Settle(live)
	}
}

// CertificateUsers returns the ARNs of the load balancers that show a certificate,
// in order.
func (b *Balancer) CertificateUsers(arn string) []string {
	users := []string{}
	for _, l := range b.Listeners("") {
		if shows(arn)(l) {
			users = append(users, l.LoadBalancerARN)
		}
	}
	slices.SortFunc(users, strings.Compare)
	return slices.Compact(users)
}

// TrustStoreUsers returns the ARNs of the listeners that verify their clients by a
// trust store, in order.
func (b *Balancer) TrustStoreUsers(arn string) []string {
	users := []string{}
	for _, l := range b.Listeners("") {
		if trusts(arn)(l) {
			users = append(users, l.ARN)
		}
	}
	slices.SortFunc(users, strings.Compare)
	return users
}

// UnlessShown calls do unless a load balancer shows the certificate, and returns the
// ARNs of those that do. None begins to show it meanwhile: do must not change
// listeners, nor wait for who does.
func (b *Balancer) UnlessShown(arn string, do func() error) ([]string, error) {
	b.control.Lock()
	defer b.control.Unlock()
	if users := b.CertificateUsers(arn); len(users) > 0 {
		return users, nil
	}
	return nil, do()
}

// UnlessTrusted is UnlessShown for a trust store and the listeners that verify by it.
func (b *Balancer) UnlessTrusted(arn string, do func() error) ([]string, error) {
	b.control.Lock()
	defer b.control.Unlock()
	if users := b.TrustStoreUsers(arn); len(users) > 0 {
		return users, nil
	}
	return nil, do()
}
