package cli

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
)

// trusting returns the settings of a client that trusts the authorities in a
// PEM file, as AWS clients do for AWS_CA_BUNDLE; "" is the system's.
func trusting(caFile string) (*tls.Config, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if caFile == "" {
		return conf, nil
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("read the authority of the server's certificate: %w", err)
	}
	conf.RootCAs = x509.NewCertPool()
	if !conf.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s: no certificate in PEM form", caFile)
	}
	return conf, nil
}

// clientTrusting returns an HTTP client with trusting's settings.
func clientTrusting(caFile string) (*http.Client, error) {
	conf, err := trusting(caFile)
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: conf}}, nil
}
