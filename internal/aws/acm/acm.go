// Package acm is the face of certificates: AWS Certificate Manager's API over
// package certificates. It keeps nothing of its own.
package acm

import (
	sdk "github.com/aws/aws-sdk-go-v2/service/acm"

	"neargate/internal/aws/wire"
	"neargate/internal/certificates"
	"neargate/internal/model"
)

type service struct{ certificates *certificates.Certificates }

// New returns the face of certificates.
func New(c *certificates.Certificates) wire.Service {
	s := &service{c}
	return wire.Service{
		SigningName:  "acm",
		TargetPrefix: "CertificateManager",
		Style:        wire.UpperCamel,
		Refused: []wire.Setting{
			wire.Refused[sdk.RequestCertificateInput]("CertificateAuthorityArn"),
			wire.Refused[sdk.RequestCertificateInput]("ManagedBy"),
			wire.Refused[sdk.RequestCertificateInput]("KeyAlgorithm", "EC_prime256v1"),
			wire.Refused[sdk.RequestCertificateInput]("Options"),
			wire.Refused[sdk.RequestCertificateInput]("DomainValidationOptions"),
		},
		Refuse: wire.RefuseWith(validation),
		Kept: []wire.Setting{
			wire.Kept[sdk.RequestCertificateInput]("ValidationMethod", "nobody is asked whether a name is the caller's: the certificate is issued at once, by an authority that only its users trust"),
			wire.Kept[sdk.RequestCertificateInput]("IdempotencyToken", "each request issues a certificate"),
		},
		Operations: []wire.Operation{
			wire.Op("DeleteCertificate", s.deleteCertificate),
			wire.Op("GetCertificate", s.getCertificate),
			wire.Op("ImportCertificate", s.importCertificate),
			wire.Op("RequestCertificate", s.requestCertificate),
		},
	}
}

const validation = "ValidationException"

func invalid(format string, args ...any) error {
	return model.Errorf(model.Invalid, validation, format, args...)
}
