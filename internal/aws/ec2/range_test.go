package ec2_test

import (
	"fmt"
	"net/netip"
	"testing"
)

// TestAddressesOfASubnet: NAT gateways have addresses of their subnet that nobody
// else has and AWS does not keep, and tasks are told to leave these.
func TestAddressesOfASubnet(t *testing.T) {
	a := newAPI(t)
	made := a.must(t, "CreateVpc&CidrBlock=50.0.0.0/16").one(t, "vpc/vpcId")
	small := a.must(t, "CreateSubnet&CidrBlock=50.0.9.16/28&VpcId="+made).one(t, "subnet/subnetId")
	nat := "CreateNatGateway&ConnectivityType=private&SubnetId=" + small
	a.must(t, nat+"&PrivateIpAddress=50.0.9.20")
	for form, want := range map[string]string{
		nat + "&PrivateIpAddress=50.0.9.19": "InvalidParameterValue: Address 50.0.9.19 is in subnet's reserved address range.",
		nat + "&PrivateIpAddress=50.0.9.31": "InvalidParameterValue: Address 50.0.9.31 is in subnet's reserved address range.",
		nat + "&PrivateIpAddress=50.0.9.32": "InvalidParameterValue: Address 50.0.9.32 does not fall within the subnet's address range",
		nat + "&PrivateIpAddress=none":      "InvalidParameterValue: Address none does not fall within the subnet's address range",
		nat + "&PrivateIpAddress=50.0.9.20": "InvalidIPAddress.InUse: Address 50.0.9.20 is in use.",
	} {
		if _, got := a.do(t, form); got != want {
			t.Errorf("%s: got %s, want %s", form, got, want)
		}
	}
	for range 10 {
		a.must(t, nat)
	}
	free := a.must(t, "DescribeSubnets&SubnetId.1="+small).one(t, "subnetSet/item/availableIpAddressCount")
	want(t, "addresses left", []string{free}, "0")
	_, failure := a.do(t, nat)
	want(t, "one more", []string{failure}, "InsufficientFreeAddressesInSubnet: Subnet has insufficient free addresses to create this NAT gateway")

	all := append([]string{small, "subnet-0"}, a.net.DefaultSubnets()...)
	ranges := a.net.Ranges(all)
	if len(ranges) != 1 || ranges[0].ID != small || ranges[0].CIDR.String() != "50.0.9.16/28" || len(ranges[0].Reserved) != 11 {
		t.Errorf("tasks may have addresses of %+v", ranges)
	}
	for _, row := range []struct{ vpc, address, want string }{
		{made, "50.0.9.20", "true true"},
		{made, "50.0.9.32", "true false"},
		{made, "50.1.0.1", "false false"},
		{"vpc-0", "50.0.9.20", "false false"},
		{a.net.DefaultVPC(), "10.7.255.1", "true true"}, // in no default subnet, as a task may be
	} {
		within, placed := a.net.Holds(row.vpc, netip.MustParseAddr(row.address))
		if got := fmt.Sprint(within, placed); got != row.want {
			t.Errorf("%s in %s: %s, want %s", row.address, row.vpc, got, row.want)
		}
	}
	at := func(address string, subnets ...string) string {
		return a.net.SubnetAt(netip.MustParseAddr(address), subnets)
	}
	if first := a.net.DefaultSubnets()[0]; at("50.0.9.20", first, small) != small || at("192.0.2.1", first, small) != first || at("50.0.9.20") != "" {
		t.Error("an address is not told to be of its subnet, or else of the first")
	}
}
