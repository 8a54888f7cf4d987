package acm

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/acm/types"

	"neargate/internal/aws/wire"
	"neargate/internal/certificates"
	"neargate/internal/model"
)

// importCertificate: codes ValidationException, ResourceNotFoundException.
func (s *service) importCertificate(ctx context.Context, in *sdk.ImportCertificateInput) (*sdk.ImportCertificateOutput, error) {
	if in.CertificateArn != nil && len(in.Tags) > 0 {
		return nil, invalid("You cannot specify tags when you reimport a certificate.")
	}
	made, err := s.certificates.Import(ctx, certificates.Import{
		ARN: aws.ToString(in.CertificateArn), Certificate: in.Certificate, Key: in.PrivateKey, Chain: in.CertificateChain, Tags: readTags(in.Tags),
	})
	if err != nil {
		return nil, err
	}
	return &sdk.ImportCertificateOutput{CertificateArn: aws.String(made.ARN)}, nil
}

// requestCertificate: codes ValidationException.
func (s *service) requestCertificate(ctx context.Context, in *sdk.RequestCertificateInput) (*sdk.RequestCertificateOutput, error) {
	var c wire.Checks
	names := []string{strings.ToLower(c.Text("domainName", in.DomainName, 1, 253))}
	if err := c.Err(validation); err != nil {
		return nil, err
	}
	for _, name := range in.SubjectAlternativeNames {
		names = append(names, strings.ToLower(name))
	}
	made, err := s.certificates.Request(ctx, names, readTags(in.Tags))
	if err != nil {
		return nil, err
	}
	return &sdk.RequestCertificateOutput{CertificateArn: aws.String(made.ARN)}, nil
}

// getCertificate: codes ValidationException, ResourceNotFoundException.
func (s *service) getCertificate(_ context.Context, in *sdk.GetCertificateInput) (*sdk.GetCertificateOutput, error) {
	arn, err := certificateARN(in.CertificateArn)
	if err != nil {
		return nil, err
	}
	found, ok := s.certificates.Get(arn)
	if !ok {
		return nil, model.Errorf(model.NotFound, "ResourceNotFoundException", "Could not find certificate %s.", arn)
	}
	leaf, chain, _ := strings.Cut(found.Chain, "-----END CERTIFICATE-----\n")
	out := &sdk.GetCertificateOutput{Certificate: aws.String(leaf + "-----END CERTIFICATE-----\n")}
	if chain != "" {
		out.CertificateChain = aws.String(chain)
	}
	return out, nil
}

// deleteCertificate: codes ValidationException, ResourceNotFoundException.
func (s *service) deleteCertificate(ctx context.Context, in *sdk.DeleteCertificateInput) (*sdk.DeleteCertificateOutput, error) {
	arn, err := certificateARN(in.CertificateArn)
	if err != nil {
		return nil, err
	}
	return &sdk.DeleteCertificateOutput{}, s.certificates.Delete(ctx, arn)
}

func certificateARN(v *string) (string, error) {
	var c wire.Checks
	arn := c.Text("certificateArn", v, 20, 2048)
	return arn, c.Err(validation)
}

func readTags(in []types.Tag) (out []model.Tag) {
	for _, t := range in {
		out = append(out, model.Tag{Key: aws.ToString(t.Key), Value: aws.ToString(t.Value)})
	}
	return out
}
