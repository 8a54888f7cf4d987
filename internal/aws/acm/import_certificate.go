package acm

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/acm"

	"neargate/internal/certificates"
)

// importCertificate: codes ValidationException, InvalidArnException,
// ResourceNotFoundException, InvalidTagException, TooManyTagsException.
func (s *service) importCertificate(ctx context.Context, in *sdk.ImportCertificateInput) (*sdk.ImportCertificateOutput, error) {
	imported := certificates.Import{Certificate: in.Certificate, Key: in.PrivateKey, Chain: in.CertificateChain}
	var err error
	if in.CertificateArn != nil {
		if imported.ARN, err = readARN("certificateArn", in.CertificateArn); err != nil {
			return nil, err
		}
		if len(in.Tags) > 0 {
			return nil, invalid("You cannot specify tags when you reimport a certificate.")
		}
	}
	if imported.Tags, err = mergeTags(nil, in.Tags); err != nil {
		return nil, err
	}
	made, err := s.certificates.Import(ctx, imported)
	if err != nil {
		return nil, err
	}
	return &sdk.ImportCertificateOutput{CertificateArn: aws.String(made.ARN)}, nil
}
