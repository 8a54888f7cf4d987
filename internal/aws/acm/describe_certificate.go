package acm

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/acm/types"

	"neargate/internal/certificates"
	"neargate/internal/model"
)

// describeCertificate: codes ValidationException, InvalidArnException,
// ResourceNotFoundException.
func (s *service) describeCertificate(_ context.Context, in *sdk.DescribeCertificateInput) (*sdk.DescribeCertificateOutput, error) {
	found, err := s.find("certificateArn", in.CertificateArn)
	if err != nil {
		return nil, err
	}
	users := s.certificates.Users(found.ARN)
	names := found.Names()
	out := &types.CertificateDetail{
		CertificateArn: aws.String(found.ARN), Type: types.CertificateType(found.Type), Status: types.CertificateStatus(found.Status(time.Now())),
		FailureReason: types.FailureReason(found.Order.Failure), InUseBy: append([]string{}, users...),
		SubjectAlternativeNames: names, RenewalEligibility: eligibility(found, len(users) > 0),
		CreatedAt: moment(found.CreatedAt), ImportedAt: moment(found.ImportedAt), IssuedAt: moment(found.IssuedAt),
		CertificateKeyPairOrigin: origin(found), Options: options(found), RenewalSummary: renewalSummary(found),
		DomainValidationOptions: domainValidations(found), KeyAlgorithm: types.KeyAlgorithm(found.Request.Algorithm),
	}
	if len(names) > 0 {
		out.DomainName = aws.String(names[0])
	}
	if leaf := found.Leaf(); leaf != nil {
		show(out, leaf)
	}
	return &sdk.DescribeCertificateOutput{Certificate: out}, nil
}

// show puts in what stands in the certificate itself.
func show(out *types.CertificateDetail, leaf *x509.Certificate) {
	out.NotBefore, out.NotAfter = aws.Time(leaf.NotBefore), aws.Time(leaf.NotAfter)
	out.Serial = aws.String(colons(leaf.SerialNumber.Bytes()))
	out.Subject = text(leaf.Subject.String())
	out.Issuer = text(issuerName(leaf))
	out.SignatureAlgorithm = aws.String(signature(leaf.SignatureAlgorithm))
	out.KeyAlgorithm = types.KeyAlgorithm(certificates.KeyAlgorithm(leaf))
	for _, name := range keyUsages(leaf) {
		out.KeyUsages = append(out.KeyUsages, types.KeyUsage{Name: name})
	}
	for _, u := range extendedUsages(leaf) {
		out.ExtendedKeyUsages = append(out.ExtendedKeyUsages, types.ExtendedKeyUsage{Name: u.name, OID: aws.String(u.oid)})
	}
}

// issuerName is how AWS names an issuer: its organisation, or else its name.
func issuerName(leaf *x509.Certificate) string {
	if len(leaf.Issuer.Organization) > 0 {
		return leaf.Issuer.Organization[0]
	}
	return leaf.Issuer.CommonName
}

// colons is bytes as AWS writes serial numbers: "0a:1b".
func colons(b []byte) string {
	var parts []string
	for _, one := range b {
		parts = append(parts, hex.EncodeToString([]byte{one}))
	}
	return strings.Join(parts, ":")
}

// signature is AWS's word for an algorithm: "SHA256WITHRSA".
func signature(a x509.SignatureAlgorithm) string {
	hash, key := a.String(), ""
	if i := strings.IndexByte(hash, '-'); i >= 0 {
		hash, key = hash[:i], hash[i+1:] // "SHA256-RSA", "ECDSA-SHA256", "SHA256-RSAPSS"
	}
	if hash == "ECDSA" {
		hash, key = key, hash
	}
	return hash + "WITH" + key
}

// origin is who made the key.
func origin(r certificates.Certificate) types.CertificateKeyPairOrigin {
	if r.Type == certificates.Imported {
		return types.CertificateKeyPairOriginCustomerProvided
	}
	return types.CertificateKeyPairOriginAwsManaged
}

func options(r certificates.Certificate) *types.CertificateOptions {
	if r.Type == certificates.Imported {
		return &types.CertificateOptions{CertificateTransparencyLoggingPreference: "DISABLED"} //nolint:staticcheck // clients still send it
	}
	return &types.CertificateOptions{
		CertificateTransparencyLoggingPreference: types.CertificateTransparencyLoggingPreference(r.Request.Transparency), //nolint:staticcheck // clients still send it
		Export:                                   types.CertificateExport(r.Request.Export),
	}
}

// eligibility is whether a certificate is renewed by its issuer: while something
// uses it ("Managed certificate renewal").
func eligibility(r certificates.Certificate, inUse bool) types.RenewalEligibility {
	if r.Type == certificates.Issued && (inUse || r.Exported) {
		return types.RenewalEligibilityEligible
	}
	return types.RenewalEligibilityIneligible
}

func renewalSummary(r certificates.Certificate) *types.RenewalSummary {
	if r.Order.Renewal == "" {
		return nil
	}
	out := &types.RenewalSummary{
		RenewalStatus: types.RenewalStatus(r.Order.Renewal), UpdatedAt: aws.Time(r.Order.RenewedAt), DomainValidationOptions: domainValidations(r),
	}
	if r.Order.Renewal == certificates.RenewalFailed {
		out.RenewalStatusReason = types.FailureReasonOther
	}
	return out
}

// domainValidations shows how the names of a request were validated, as AWS does.
func domainValidations(r certificates.Certificate) []types.DomainValidation {
	var out []types.DomainValidation
	status := types.DomainStatusSuccess
	switch {
	case r.Order.Failure != "" || r.Order.TimedOut:
		status = types.DomainStatusFailed
	case r.Chain == "":
		status = types.DomainStatusPendingValidation
	}
	for _, name := range r.Request.Names {
		v := types.DomainValidation{
			DomainName: aws.String(name), ValidationMethod: types.ValidationMethod(r.Request.Validation), ValidationStatus: status,
			ValidationDomain: aws.String(name),
		}
		if domain, ok := r.Request.Domains[name]; ok {
			v.ValidationDomain = aws.String(domain)
		}
		if v.ValidationMethod == types.ValidationMethodDns {
			v.ResourceRecord = record(r.ARN, name)
		} else {
			for _, who := range []string{"administrator", "hostmaster", "postmaster", "webmaster", "admin"} {
				v.ValidationEmails = append(v.ValidationEmails, who+"@"+strings.TrimPrefix(*v.ValidationDomain, "*."))
			}
		}
		out = append(out, v)
	}
	return slices.Clip(out)
}

// record is the DNS record that would show whose a name is: the same for each
// request of an account, and for a wildcard and the name below which it stands.
func record(arn, name string) *types.ResourceRecord {
	a, _ := model.ParseARN(arn)
	host := strings.TrimPrefix(name, "*.")
	token := func(purpose string) string {
		sum := sha256.Sum256([]byte(purpose + " " + a.Account + " " + host))
		return hex.EncodeToString(sum[:])
	}
	return &types.ResourceRecord{
		Name: aws.String("_" + token("name")[:32] + "." + host + "."), Type: types.RecordTypeCname,
		Value: aws.String("_" + token("value")[:32] + "." + token("zone")[:10] + ".acm-validations.aws."),
	}
}
