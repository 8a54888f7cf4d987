package acm

import (
	"crypto/x509"

	"github.com/aws/aws-sdk-go-v2/service/acm/types"
)

// keyUsages are the uses of a certificate's key in AWS's words.
func keyUsages(leaf *x509.Certificate) (out []types.KeyUsageName) {
	for _, u := range []struct {
		bit  x509.KeyUsage
		name types.KeyUsageName
	}{
		{x509.KeyUsageDigitalSignature, types.KeyUsageNameDigitalSignature},
		{x509.KeyUsageContentCommitment, types.KeyUsageNameNonRepudation},
		{x509.KeyUsageKeyEncipherment, types.KeyUsageNameKeyEncipherment},
		{x509.KeyUsageDataEncipherment, types.KeyUsageNameDataEncipherment},
		{x509.KeyUsageKeyAgreement, types.KeyUsageNameKeyAgreement},
		{x509.KeyUsageCertSign, types.KeyUsageNameCertificateSigning},
		{x509.KeyUsageCRLSign, types.KeyUsageNameCrlSigning},
		{x509.KeyUsageEncipherOnly, types.KeyUsageNameEnchiperOnly},
		{x509.KeyUsageDecipherOnly, types.KeyUsageNameDecipherOnly},
	} {
		if leaf.KeyUsage&u.bit != 0 {
			out = append(out, u.name)
		}
	}
	return out
}

// extendedUsage is one purpose of a certificate in AWS's words.
type extendedUsage struct {
	name types.ExtendedKeyUsageName
	oid  string
}

// extendedUsages are the purposes of a certificate.
func extendedUsages(leaf *x509.Certificate) (out []extendedUsage) {
	known := map[x509.ExtKeyUsage]extendedUsage{
		x509.ExtKeyUsageAny:             {types.ExtendedKeyUsageNameAny, "2.5.29.37.0"},
		x509.ExtKeyUsageServerAuth:      {types.ExtendedKeyUsageNameTlsWebServerAuthentication, "1.3.6.1.5.5.7.3.1"},
		x509.ExtKeyUsageClientAuth:      {types.ExtendedKeyUsageNameTlsWebClientAuthentication, "1.3.6.1.5.5.7.3.2"},
		x509.ExtKeyUsageCodeSigning:     {types.ExtendedKeyUsageNameCodeSigning, "1.3.6.1.5.5.7.3.3"},
		x509.ExtKeyUsageEmailProtection: {types.ExtendedKeyUsageNameEmailProtection, "1.3.6.1.5.5.7.3.4"},
		x509.ExtKeyUsageTimeStamping:    {types.ExtendedKeyUsageNameTimeStamping, "1.3.6.1.5.5.7.3.8"},
		x509.ExtKeyUsageOCSPSigning:     {types.ExtendedKeyUsageNameOcspSigning, "1.3.6.1.5.5.7.3.9"},
	}
	for _, u := range leaf.ExtKeyUsage {
		if one, ok := known[u]; ok {
			out = append(out, one)
		}
	}
	for _, oid := range leaf.UnknownExtKeyUsage {
		out = append(out, extendedUsage{types.ExtendedKeyUsageNameCustom, oid.String()})
	}
	return out
}
