package acm

import (
	"cmp"
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/acm/types"

	"neargate/internal/aws/wire"
	"neargate/internal/certificates"
	"neargate/internal/model"
)

// requestCertificate: codes ValidationException, InvalidParameterException,
// InvalidDomainValidationOptionsException, InvalidTagException,
// TooManyTagsException.
func (s *service) requestCertificate(ctx context.Context, in *sdk.RequestCertificateInput) (*sdk.RequestCertificateOutput, error) {
	var c wire.Checks
	req := certificates.Request{
		Names:      append([]string{c.Text("domainName", in.DomainName, 1, 253)}, in.SubjectAlternativeNames...),
		Algorithm:  cmp.Or(string(in.KeyAlgorithm), string(types.KeyAlgorithmRsa2048)),
		Validation: cmp.Or(string(in.ValidationMethod), string(types.ValidationMethodEmail)),
		Token:      c.OptionalText("idempotencyToken", in.IdempotencyToken, 1, 32),
	}
	if n := len(in.SubjectAlternativeNames); n > 100 {
		c.Fail("subjectAlternativeNames", "'["+shortened(in.SubjectAlternativeNames[0])+", …]'", "Member must have length less than or equal to 100")
	}
	c.OneOf("keyAlgorithm", req.Algorithm, "RSA_2048", "EC_prime256v1", "EC_secp384r1")
	req.Transparency, req.Export = readOptions(&c, in.Options)
	if err := c.Err(validation); err != nil {
		return nil, err
	}
	tags, err := mergeTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	if req.Domains, err = validationDomains(req.Names, in.DomainValidationOptions); err != nil {
		return nil, err
	}
	made, err := s.certificates.Request(ctx, req, tags)
	if err != nil {
		return nil, err
	}
	return &sdk.RequestCertificateOutput{CertificateArn: aws.String(made.ARN)}, nil
}

// readOptions reads the options of a certificate, or AWS's defaults.
func readOptions(c *wire.Checks, in *types.CertificateOptions) (transparency, export string) {
	transparency, export = "ENABLED", "DISABLED"
	if in != nil {
		transparency = cmp.Or(string(in.CertificateTransparencyLoggingPreference), transparency) //nolint:staticcheck // clients still send it
		export = cmp.Or(string(in.Export), export)
	}
	c.OneOf("options.certificateTransparencyLoggingPreference", transparency, "ENABLED", "DISABLED")
	c.OneOf("options.export", export, "ENABLED", "DISABLED")
	return transparency, export
}

// validationDomains reads by which domains names are to be validated by mail: each
// one itself, or one above it.
func validationDomains(names []string, in []types.DomainValidationOption) (map[string]string, error) {
	out := map[string]string{}
	for _, o := range in {
		name, domain := strings.ToLower(aws.ToString(o.DomainName)), strings.ToLower(aws.ToString(o.ValidationDomain))
		known := false
		for _, n := range names {
			known = known || strings.EqualFold(n, name)
		}
		if !known || domain == "" || name != domain && !strings.HasSuffix(name, "."+domain) {
			return nil, model.Errorf(model.Invalid, "InvalidDomainValidationOptionsException",
				"The validation domain '%s' must be the domain name '%s' of the request or a domain above it.", shortened(domain), shortened(name))
		}
		out[name] = domain
	}
	return out, nil
}
