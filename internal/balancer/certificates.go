package balancer

import "crypto/tls"

// certificates are where HTTPS listeners have their certificates from.
type certificates interface {
	// Certificate returns the certificate with an ARN, with its chain and private
	// key. What changes of one, Balancer.CertificateChanged is told.
	Certificate(arn string) (*tls.Certificate, error)
}
