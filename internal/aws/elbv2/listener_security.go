package elbv2

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"neargate/internal/decide/handshake"
	"neargate/internal/model"
)

// security is what a call says of a listener's TLS.
type security struct {
	protocol     types.ProtocolEnum // "": the call leaves it
	certificates []types.Certificate
	policy       *string
	mutual       *types.MutualAuthenticationAttributes // nil: the call leaves it
}

// apply puts into a listener what a call says of its TLS. Codes ValidationError,
// UnsupportedProtocol, SSLPolicyNotFound, UnsupportedCertificate.
func (s security) apply(l *model.Listener) error {
	switch s.protocol {
	case "":
	case types.ProtocolEnumHttp, types.ProtocolEnumHttps:
		l.Protocol = string(s.protocol)
	default:
		return model.Errorf(model.Invalid, "UnsupportedProtocol", "Protocol '%s' is not supported by application load balancers", s.protocol)
	}
	if l.Protocol != string(types.ProtocolEnumHttps) {
		if len(s.certificates) > 0 || s.policy != nil || s.mutual != nil && aws.ToString(s.mutual.Mode) != mutualOff {
			return invalid("Certificates, security policies and mutual authentication cannot be specified for HTTP listeners")
		}
		l.SSLPolicy, l.Certificates, l.Mutual = "", nil, model.MutualAuthentication{}
		return nil
	}
	if err := s.applyCertificates(l); err != nil {
		return err
	}
	switch {
	case s.policy != nil:
		l.SSLPolicy = *s.policy
	case l.SSLPolicy == "":
		l.SSLPolicy = handshake.DefaultPolicy
	}
	if _, ok := handshake.Lookup(l.SSLPolicy); !ok {
		return noPolicy(l.SSLPolicy)
	}
	if s.mutual == nil {
		return nil
	}
	var err error
	l.Mutual, err = readMutual(s.mutual)
	return err
}

// applyCertificates sets the default certificate, and leaves the others.
func (s security) applyCertificates(l *model.Listener) error {
	switch {
	case len(s.certificates) > 1:
		return invalid("You can specify only one default certificate; add others with AddListenerCertificates")
	case len(s.certificates) == 0 && len(l.Certificates) == 0:
		return invalid("A certificate must be specified for HTTPS listeners")
	case len(s.certificates) == 0:
		return nil
	case s.certificates[0].IsDefault != nil:
		return invalid("'IsDefault' cannot be specified for the certificate of a listener")
	}
	arn, err := certificateARN(s.certificates[0])
	if err != nil {
		return err
	}
	next := []string{arn}
	for _, other := range l.Certificates[min(1, len(l.Certificates)):] {
		if other != arn {
			next = append(next, other)
		}
	}
	l.Certificates = next
	return nil
}

// certificateARN returns the ARN of a certificate that a listener may show.
func certificateARN(c types.Certificate) (string, error) {
	arn, err := required("certificateArn", c.CertificateArn)
	if err == nil && strings.HasPrefix(arn, "arn:aws:iam::") {
		err = model.Errorf(model.Invalid, "UnsupportedCertificate",
			"Certificate '%s' is of IAM, which keeps none here; import it into the Certificate Manager", arn)
	}
	return arn, err
}

func noPolicy(name string) error {
	return model.Errorf(model.NotFound, "SSLPolicyNotFound", "SSL policy '%s' not found", name)
}

// showCertificates is the certificates of a description: the default one only.
func showCertificates(l model.Listener) []types.Certificate {
	if len(l.Certificates) == 0 {
		return nil
	}
	return []types.Certificate{{CertificateArn: aws.String(l.Certificates[0])}}
}
