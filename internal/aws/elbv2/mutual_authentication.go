package elbv2

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"neargate/internal/model"
)

// The modes of mutual authentication.
const (
	mutualOff    = "off"
	mutualPass   = "passthrough"
	mutualVerify = "verify"
)

// readMutual reads what a listener asks its clients for. ValidationError; whether
// the trust store is there, the balancer asks.
func readMutual(in *types.MutualAuthenticationAttributes) (model.MutualAuthentication, error) {
	m := model.MutualAuthentication{
		Mode: aws.ToString(in.Mode), TrustStoreARN: aws.ToString(in.TrustStoreArn), IgnoreExpiry: aws.ToBool(in.IgnoreClientCertificateExpiry),
		AdvertiseCAs: in.AdvertiseTrustStoreCaNames == types.AdvertiseTrustStoreCaNamesEnumOn,
	}
	switch m.Mode {
	case mutualOff, mutualPass:
		switch {
		case m.TrustStoreARN != "":
			return m, invalid("A trust store cannot be specified with mutual authentication mode '%s'", m.Mode)
		case in.IgnoreClientCertificateExpiry != nil && m.IgnoreExpiry:
			return m, invalid("IgnoreClientCertificateExpiry cannot be specified with mutual authentication mode '%s'", m.Mode)
		case m.AdvertiseCAs:
			return m, invalid("AdvertiseTrustStoreCaNames cannot be specified with mutual authentication mode '%s'", m.Mode)
		}
	case mutualVerify:
		if m.TrustStoreARN == "" {
			return m, invalid("A trust store must be specified with mutual authentication mode 'verify'")
		}
	case "":
		return m, invalid("A mutual authentication mode must be specified")
	default:
		return m, invalid("Mutual authentication mode '%s' is not valid; valid ones are 'off', 'passthrough' and 'verify'", m.Mode)
	}
	switch in.AdvertiseTrustStoreCaNames {
	case "", types.AdvertiseTrustStoreCaNamesEnumOn, types.AdvertiseTrustStoreCaNamesEnumOff:
	default:
		return m, invalid("AdvertiseTrustStoreCaNames must be 'on' or 'off'")
	}
	return m, nil
}

// showMutual is what a description shows of it.
func showMutual(m model.MutualAuthentication) *types.MutualAuthenticationAttributes {
	switch m.Mode {
	case mutualVerify:
		advertise := types.AdvertiseTrustStoreCaNamesEnumOff
		if m.AdvertiseCAs {
			advertise = types.AdvertiseTrustStoreCaNamesEnumOn
		}
		return &types.MutualAuthenticationAttributes{
			Mode: aws.String(m.Mode), TrustStoreArn: aws.String(m.TrustStoreARN), IgnoreClientCertificateExpiry: aws.Bool(m.IgnoreExpiry),
			AdvertiseTrustStoreCaNames: advertise, TrustStoreAssociationStatus: types.TrustStoreAssociationStatusEnumActive,
		}
	case mutualPass:
		return &types.MutualAuthenticationAttributes{Mode: aws.String(m.Mode)}
	default:
		return &types.MutualAuthenticationAttributes{Mode: aws.String(mutualOff)}
	}
}
