package acm

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/acm"

	"neargate/internal/certificates"
)

// The lengths of a passphrase, in bytes (API_ExportCertificate).
const (
	minPassphrase = 4
	maxPassphrase = 128
)

// exportCertificate returns a certificate with its private key, encrypted with a
// passphrase. Codes: ValidationException, InvalidArnException,
// ResourceNotFoundException, RequestInProgressException.
func (s *service) exportCertificate(ctx context.Context, in *sdk.ExportCertificateInput) (*sdk.ExportCertificateOutput, error) {
	found, err := s.find("certificateArn", in.CertificateArn)
	switch {
	case err != nil:
		return nil, err
	case len(in.Passphrase) < minPassphrase || len(in.Passphrase) > maxPassphrase:
		return nil, invalid("The passphrase must have %d to %d bytes.", minPassphrase, maxPassphrase)
	case found.Request.Export != "ENABLED":
		return nil, invalid("Certificate is not PRIVATE type and Export is not ENABLED")
	}
	leaf, chain, err := s.chain(found)
	if err != nil {
		return nil, err
	}
	key, err := s.certificates.ExportKey(found.ARN, in.Passphrase)
	if err != nil {
		return nil, err
	}
	err = s.certificates.Change(ctx, found.ARN, func(r *certificates.Certificate) error {
		r.Exported = true
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &sdk.ExportCertificateOutput{Certificate: aws.String(leaf), CertificateChain: text(chain), PrivateKey: aws.String(string(key))}, nil
}
