package elbv2

import (
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"neargate/internal/aws/wire"
)

// refused are the settings that calls must not ask for.
func refused() []wire.Setting {
	return []wire.Setting{
		wire.Refused[types.Action]("AuthenticateCognitoConfig"),
		wire.Refused[types.Action]("AuthenticateOidcConfig"),
		wire.Refused[types.IpamPools]("Ipv4IpamPoolId"),
		wire.Refused[types.RevocationContent]("S3ObjectVersion", "null"),
		wire.Refused[types.SourceIpConditionConfig]("IpAddressType", "ipv4"),
		wire.Refused[types.SubnetMapping]("SourceNatIpv6Prefix"),
		wire.Refused[types.TargetDescription]("QuicServerId"),
		wire.Refused[elasticloadbalancingv2.CreateListenerInput]("AlpnPolicy"),
		wire.Refused[elasticloadbalancingv2.CreateTrustStoreInput]("CaCertificatesBundleS3ObjectVersion", "null"),
		wire.Refused[elasticloadbalancingv2.ModifyTrustStoreInput]("CaCertificatesBundleS3ObjectVersion", "null"),
		wire.Refused[elasticloadbalancingv2.CreateLoadBalancerInput]("EnablePrefixForIpv6SourceNat", "off"),
		wire.Refused[elasticloadbalancingv2.ModifyListenerInput]("AlpnPolicy"),
		wire.Refused[elasticloadbalancingv2.SetSecurityGroupsInput]("EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"),
		wire.Refused[elasticloadbalancingv2.SetSubnetsInput]("EnablePrefixForIpv6SourceNat", "off"),
	}
}

// kept are the settings that are accepted and have no effect.
func kept() []wire.Setting {
	return []wire.Setting{
		wire.Kept[types.MutualAuthenticationAttributes]("TrustStoreAssociationStatus", "trust stores are not shared between accounts"),
		wire.Kept[types.TargetDescription]("AvailabilityZone", "all targets are reached from the one zone of the machine"),
	}
}
