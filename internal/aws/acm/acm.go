// Package acm is the face of certificates: AWS Certificate Manager's API over
// package certificates. It keeps nothing of its own, and no private key is in an
// error.
package acm

import (
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/acm/types"

	"neargate/internal/aws/wire"
	"neargate/internal/certificates"
	"neargate/internal/model"
)

// root is the certificate, in PEM, of the authority that signs requested ones.
type root interface{ Root() ([]byte, error) }

type service struct {
	certificates *certificates.Certificates
	root         root
}

// New returns the face of certificates, those of which that are requested are
// signed by root.
func New(c *certificates.Certificates, root root) wire.Service {
	s := &service{c, root}
	return wire.Service{
		SigningName:  "acm",
		TargetPrefix: "CertificateManager",
		Style:        wire.UpperCamel,
		Refused: []wire.Setting{
			wire.Refused[sdk.RequestCertificateInput]("CertificateAuthorityArn"),
			wire.Refused[sdk.RequestCertificateInput]("ManagedBy"),
			wire.Refused[sdk.RequestCertificateInput]("ValidationMethod", "DNS", "EMAIL"),
			wire.Refused[types.CertificateOptions]("ValidationMethod"),
		},
		Refuse: wire.RefuseWith(validation),
		Kept: []wire.Setting{
			wire.Kept[sdk.RequestCertificateInput]("ValidationMethod", "nobody is asked whether a name is the caller's: the certificate is issued at once, by an authority that only its users trust; or by ACME, which validates in its own way"),
			wire.Kept[types.CertificateOptions]("CertificateTransparencyLoggingPreference", "the server's own authority logs nothing; an ACME authority always does"),
			wire.Kept[types.ExpiryEventsConfiguration]("DaysBeforeExpiry", "there is no EventBridge to send the events to"),
		},
		Operations: []wire.Operation{
			wire.Op("AddTagsToCertificate", s.addTagsToCertificate),
			wire.Op("DeleteCertificate", s.deleteCertificate),
			wire.Op("DescribeCertificate", s.describeCertificate),
			wire.Op("ExportCertificate", s.exportCertificate),
			wire.Op("GetAccountConfiguration", s.getAccountConfiguration),
			wire.Op("GetCertificate", s.getCertificate),
			wire.Op("ImportCertificate", s.importCertificate),
			wire.Op("ListCertificates", s.listCertificates),
			wire.Op("ListTagsForCertificate", s.listTagsForCertificate),
			wire.Op("ListTagsForResource", s.listTagsForResource),
			wire.Op("PutAccountConfiguration", s.putAccountConfiguration),
			wire.Op("RemoveTagsFromCertificate", s.removeTagsFromCertificate),
			wire.Op("RenewCertificate", s.renewCertificate),
			wire.Op("RequestCertificate", s.requestCertificate),
			wire.Op("TagResource", s.tagResource),
			wire.Op("UntagResource", s.untagResource),
			wire.Op("UpdateCertificateOptions", s.updateCertificateOptions),
		},
	}
}

const validation = "ValidationException"

func invalid(format string, args ...any) error {
	return model.Errorf(model.Invalid, validation, format, args...)
}

// arnPattern is what a certificate's ARN must be like (API_DescribeCertificate).
const arnPattern = `arn:[\w+=/,.@-]+:acm:[\w+=/,.@-]*:[0-9]+:[\w+=,.@-]+(/[\w+=,.@-]+)*`

// readARN reads a member with the ARN of a certificate. Codes ValidationException,
// InvalidArnException.
func readARN(member string, v *string) (string, error) {
	var c wire.Checks
	arn := c.Text(member, v, 20, 2048)
	if err := c.Err(validation); err != nil {
		return "", err
	}
	if !regexp.MustCompile(`^` + arnPattern + `$`).MatchString(arn) {
		c.Fail(member, "'"+shortened(arn)+"'", "Member must satisfy regular expression pattern: %s", arnPattern)
		return "", c.Err(validation)
	}
	if a, _ := model.ParseARN(arn); model.ARNTail(arn, 1) == a.Resource {
		return "", model.Errorf(model.Invalid, "InvalidArnException", "The ARN '%s' does not identify a certificate.", arn)
	}
	return arn, nil
}

// find returns the certificate that a call names. Codes ValidationException,
// InvalidArnException, ResourceNotFoundException.
func (s *service) find(member string, v *string) (certificates.Certificate, error) {
	arn, err := readARN(member, v)
	if err != nil {
		return certificates.Certificate{}, err
	}
	found, ok := s.certificates.Get(arn)
	if !ok {
		return found, certificates.NotFound(arn)
	}
	return found, nil
}

// shortened is as much of a value as an error shows.
func shortened(s string) string { return s[:min(len(s), 256)] }

// moment returns nil for the zero time, as an answer leaves it out.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return aws.Time(t)
}

// text returns nil for an empty text, as an answer leaves it out.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
