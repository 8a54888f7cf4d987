package acm

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/acm"

	"neargate/internal/certificates"
)

// getCertificate: codes ValidationException, InvalidArnException,
// ResourceNotFoundException, RequestInProgressException.
func (s *service) getCertificate(_ context.Context, in *sdk.GetCertificateInput) (*sdk.GetCertificateOutput, error) {
	found, err := s.find("certificateArn", in.CertificateArn)
	if err != nil {
		return nil, err
	}
	leaf, chain, err := s.chain(found)
	if err != nil {
		return nil, err
	}
	return &sdk.GetCertificateOutput{Certificate: aws.String(leaf), CertificateChain: text(chain)}, nil
}

// chain returns a certificate, and those it is signed by, in PEM. With the server's
// own authority they are its root, which listeners do not show.
func (s *service) chain(r certificates.Certificate) (leaf, chain string, err error) {
	const end = "-----END CERTIFICATE-----\n"
	leaf, chain, issued := strings.Cut(r.Chain, end)
	if !issued {
		return "", "", certificates.InProgress(r.ARN)
	}
	if chain == "" && r.Type == certificates.Issued {
		root, err := s.root.Root()
		if err != nil {
			return "", "", err
		}
		chain = string(root)
	}
	return leaf + end, chain, nil
}

// deleteCertificate: codes ValidationException, InvalidArnException,
// ResourceNotFoundException, ResourceInUseException.
func (s *service) deleteCertificate(ctx context.Context, in *sdk.DeleteCertificateInput) (*sdk.DeleteCertificateOutput, error) {
	arn, err := readARN("certificateArn", in.CertificateArn)
	if err != nil {
		return nil, err
	}
	return &sdk.DeleteCertificateOutput{}, s.certificates.Delete(ctx, arn)
}

// renewCertificate: codes ValidationException, InvalidArnException,
// ResourceNotFoundException, RequestInProgressException.
func (s *service) renewCertificate(ctx context.Context, in *sdk.RenewCertificateInput) (*sdk.RenewCertificateOutput, error) {
	arn, err := readARN("certificateArn", in.CertificateArn)
	if err != nil {
		return nil, err
	}
	return &sdk.RenewCertificateOutput{}, s.certificates.Renew(ctx, arn)
}
