package ec2_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// one returns the only element at a path.
func (a answer) one(t *testing.T, path string) string {
	t.Helper()
	got := a.all(path)
	if len(got) != 1 {
		t.Fatalf("%s: %d elements, want one: %q", path, len(got), got)
	}
	return got[0]
}

// stack is a network as Terraform's module terraform-aws-modules/vpc makes it:
// two zones, a public and a private subnet in each, one NAT gateway.
type stack struct {
	vpc, gateway, publicTable, privateTable, address, nat string
	subnets                                               []string // public, private, public, private
	associations                                          []string
}

func makeStack(t *testing.T, a *api) stack {
	t.Helper()
	var s stack
	s.vpc = a.must(t, "CreateVpc&CidrBlock=50.0.0.0/16&InstanceTenancy=default&TagSpecification.1.ResourceType=vpc&TagSpecification.1.Tag.1.Key=Name&TagSpecification.1.Tag.1.Value=web").one(t, "vpc/vpcId")
	a.must(t, "ModifyVpcAttribute&EnableDnsHostnames.Value=true&VpcId="+s.vpc)
	s.gateway = a.must(t, "CreateInternetGateway").one(t, "internetGateway/internetGatewayId")
	a.must(t, "AttachInternetGateway&InternetGatewayId="+s.gateway+"&VpcId="+s.vpc)
	s.publicTable = a.must(t, "CreateRouteTable&VpcId="+s.vpc).one(t, "routeTable/routeTableId")
	s.privateTable = a.must(t, "CreateRouteTable&VpcId="+s.vpc).one(t, "routeTable/routeTableId")
	a.must(t, "CreateRoute&DestinationCidrBlock=0.0.0.0/0&GatewayId="+s.gateway+"&RouteTableId="+s.publicTable)
	for i, zone := range []string{"eu-central-1a", "eu-central-1b"} {
		for j, table := range []string{s.publicTable, s.privateTable} {
			id := a.must(t, fmt.Sprintf("CreateSubnet&VpcId=%s&CidrBlock=50.0.%d.0/24&AvailabilityZone=%s", s.vpc, 10*j+i, zone)).one(t, "subnet/subnetId")
			s.subnets = append(s.subnets, id)
			s.associations = append(s.associations, a.must(t, "AssociateRouteTable&SubnetId="+id+"&RouteTableId="+table).one(t, "associationId"))
		}
	}
	a.must(t, "ModifySubnetAttribute&MapPublicIpOnLaunch.Value=true&SubnetId="+s.subnets[0])
	s.address = a.must(t, "AllocateAddress&Domain=vpc").one(t, "allocationId")
	s.nat = a.must(t, "CreateNatGateway&SubnetId="+s.subnets[0]+"&AllocationId="+s.address).one(t, "natGateway/natGatewayId")
	a.must(t, "CreateRoute&DestinationCidrBlock=0.0.0.0/0&NatGatewayId="+s.nat+"&RouteTableId="+s.privateTable)
	return s
}

// read is all that a stack's owner reads back of it.
func (s stack) read(t *testing.T, a *api) []answer {
	t.Helper()
	var out []answer
	for _, form := range []string{
		"DescribeVpcs&VpcId.1=" + s.vpc, "DescribeVpcAttribute&Attribute=enableDnsHostnames&VpcId=" + s.vpc,
		"DescribeNetworkAcls&Filter.1.Name=default&Filter.1.Value.1=true&Filter.2.Name=vpc-id&Filter.2.Value.1=" + s.vpc,
		"DescribeRouteTables&Filter.1.Name=association.main&Filter.1.Value.1=true&Filter.2.Name=vpc-id&Filter.2.Value.1=" + s.vpc,
		"DescribeSecurityGroups&Filter.1.Name=group-name&Filter.1.Value.1=default&Filter.2.Name=vpc-id&Filter.2.Value.1=" + s.vpc,
		"DescribeSubnets&Filter.1.Name=vpc-id&Filter.1.Value.1=" + s.vpc, "DescribeInternetGateways&InternetGatewayId.1=" + s.gateway,
		"DescribeRouteTables&RouteTableId.1=" + s.publicTable, "DescribeRouteTables&RouteTableId.1=" + s.privateTable,
		"DescribeAddresses&AllocationId.1=" + s.address, "DescribeNatGateways&NatGatewayId.1=" + s.nat,
		"DescribeNetworkInterfaces&Filter.1.Name=subnet-id&Filter.1.Value.1=" + s.subnets[0],
	} {
		got := a.must(t, form)
		got.Kids = got.Kids[1:] // the request's ID
		out = append(out, got)
	}
	return out
}

func TestStackIsReadBackAfterARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	a, stop := open(t, path, anyone{})
	s := makeStack(t, a)
	before := s.read(t, a)
	stop()
	a, stop = open(t, path, anyone{})
	defer stop()
	after := s.read(t, a)
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("the stack has changed by a restart (-before +after):\n%s", diff)
	}
	want(t, "CIDR", after[0].all("vpcSet/item/cidrBlock"), "50.0.0.0/16")
	want(t, "attribute", after[1].all("enableDnsHostnames/value"), "true")
	want(t, "default ACL's subnets", []string{fmt.Sprint(len(after[2].all("networkAclSet/item/associationSet/item/subnetId")))}, "4")
	want(t, "main table", after[3].all("routeTableSet/item/routeSet/item/gatewayId"), "local")
	want(t, "default group's rules", after[4].all("securityGroupInfo/item/ipPermissionsEgress/item/ipRanges/item/cidrIp"), "0.0.0.0/0")
	want(t, "zones", after[5].all("subnetSet/item/availabilityZone"), "eu-central-1a", "eu-central-1a", "eu-central-1b", "eu-central-1b")
	want(t, "attachment", after[6].all("internetGatewaySet/item/attachmentSet/item/vpcId"), s.vpc)
	want(t, "public routes", after[7].all("routeTableSet/item/routeSet/item/gatewayId"), "local", s.gateway)
	want(t, "private routes", after[8].all("routeTableSet/item/routeSet/item/natGatewayId"), s.nat)
	nat := after[10].all("natGatewaySet/item/natGatewayAddressSet/item/networkInterfaceId")
	want(t, "the NAT gateway's interface", after[11].all("networkInterfaceSet/item/networkInterfaceId"), nat...)
}

func TestStackIsTakenDownInOrder(t *testing.T) {
	a := newAPI(t)
	empty := a.must(t, "DescribeTags").all("tagSet/item/key")
	s := makeStack(t, a)
	group := a.must(t, "CreateSecurityGroup&GroupName=web&GroupDescription=web&VpcId="+s.vpc).one(t, "groupId")
	a.task.subnet, a.task.group = s.subnets[1], group
	violates := func(situation, form, text string) {
		t.Helper()
		_, got := a.do(t, form)
		want(t, situation, []string{got}, text)
	}
	violates("VPC with all", "DeleteVpc&VpcId="+s.vpc, "DependencyViolation: The vpc '"+s.vpc+"' has dependencies and cannot be deleted.")
	violates("subnet with a task", "DeleteSubnet&SubnetId="+s.subnets[1], "DependencyViolation: The subnet '"+s.subnets[1]+"' has dependencies and cannot be deleted.")
	violates("subnet with a NAT gateway", "DeleteSubnet&SubnetId="+s.subnets[0], "DependencyViolation: The subnet '"+s.subnets[0]+"' has dependencies and cannot be deleted.")
	violates("group with a task", "DeleteSecurityGroup&GroupId="+group, "DependencyViolation: resource "+group+" has a dependent object")
	violates("gateway with addresses", "DetachInternetGateway&InternetGatewayId="+s.gateway+"&VpcId="+s.vpc,
		"DependencyViolation: Network "+s.vpc+" has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.")
	violates("attached gateway", "DeleteInternetGateway&InternetGatewayId="+s.gateway, "DependencyViolation: The internetGateway '"+s.gateway+"' has dependencies and cannot be deleted.")
	violates("table with subnets", "DeleteRouteTable&RouteTableId="+s.publicTable, "DependencyViolation: The routeTable '"+s.publicTable+"' has dependencies and cannot be deleted.")
	if _, got := a.do(t, "ReleaseAddress&AllocationId="+s.address); !strings.HasPrefix(got, "InvalidIPAddress.InUse: ") {
		t.Errorf("release of an address in use: %q", got)
	}
	association := a.must(t, "DescribeAddresses").one(t, "addressesSet/item/associationId")
	violates("address of a NAT gateway", "DisassociateAddress&AssociationId="+association, "AuthFailure: You do not have permission to access the specified resource.")
	a.task.subnet = ""
	for _, id := range s.associations {
		a.must(t, "DisassociateRouteTable&AssociationId="+id)
	}
	a.must(t, "DeleteNatGateway&NatGatewayId="+s.nat)
	violates("address that the NAT gateway had", "DisassociateAddress&AssociationId="+association, "InvalidAssociationID.NotFound: The association ID '"+association+"' does not exist")
	for _, form := range []string{
		"ReleaseAddress&AllocationId=" + s.address,
		"DeleteRouteTable&RouteTableId=" + s.publicTable, "DeleteRouteTable&RouteTableId=" + s.privateTable,
		"DetachInternetGateway&InternetGatewayId=" + s.gateway + "&VpcId=" + s.vpc, "DeleteInternetGateway&InternetGatewayId=" + s.gateway,
		"DeleteSubnet&SubnetId=" + s.subnets[0], "DeleteSubnet&SubnetId=" + s.subnets[1], "DeleteSubnet&SubnetId=" + s.subnets[2], "DeleteSubnet&SubnetId=" + s.subnets[3],
		"DeleteSecurityGroup&GroupId=" + group, "DeleteVpc&VpcId=" + s.vpc,
	} {
		a.must(t, form)
	}
	violates("VPC gone", "DescribeVpcs&VpcId.1="+s.vpc, "InvalidVpcID.NotFound: The vpc ID '"+s.vpc+"' does not exist")
	for form, path := range map[string]string{
		"DescribeNetworkAcls": "networkAclSet/item/vpcId", "DescribeRouteTables": "routeTableSet/item/vpcId",
		"DescribeSecurityGroups": "securityGroupInfo/item/vpcId", "DescribeInternetGateways": "internetGatewaySet/item/attachmentSet/item/vpcId",
	} {
		want(t, "left by "+form, a.must(t, form).all(path), a.net.DefaultVPC())
	}
	want(t, "tags left", a.must(t, "DescribeTags").all("tagSet/item/key"), empty...)
}

func TestNetworksAreRefused(t *testing.T) {
	a := newAPI(t)
	s := makeStack(t, a)
	vpc := "&VpcId=" + s.vpc
	rtb := "&RouteTableId=" + s.publicTable
	for form, failure := range map[string]string{
		"CreateVpc":                                  "MissingParameter: The request must contain the parameter cidrBlock",
		"CreateVpc&CidrBlock=10.0.0.0/8":             "InvalidVpc.Range: The CIDR '10.0.0.0/8' is invalid.",
		"CreateVpc&CidrBlock=x":                      "InvalidParameterValue: Value (x) for parameter cidrBlock is invalid. This is not a valid CIDR block.",
		"DeleteVpc&VpcId=vpc-0":                      "InvalidVpcID.NotFound: The vpc ID 'vpc-0' does not exist",
		"DeleteVpc&VpcId=" + a.net.DefaultVPC():      "OperationNotPermitted: The default VPC " + a.net.DefaultVPC() + " is the network of this server's tasks and cannot be deleted.",
		"CreateSubnet&CidrBlock=51.0.0.0/24" + vpc:   "InvalidSubnet.Range: The CIDR '51.0.0.0/24' is invalid.",
		"CreateSubnet&CidrBlock=50.0.0.128/25" + vpc: "InvalidSubnet.Conflict: The CIDR '50.0.0.128/25' conflicts with another subnet",
		"CreateSubnet&CidrBlock=50.0.99.0/24&AvailabilityZone=us-west-2a" + vpc: "InvalidParameterValue: Value (us-west-2a) for parameter availabilityZone is invalid. " +
			"Subnets can currently only be created in the following availability zones: eu-central-1a, eu-central-1b, eu-central-1c.",
		"AttachInternetGateway&InternetGatewayId=" + s.gateway + vpc:              "Resource.AlreadyAssociated: resource " + s.gateway + " is already attached to network " + s.vpc,
		"CreateRoute&DestinationCidrBlock=0.0.0.0/0&GatewayId=" + s.gateway + rtb: "RouteAlreadyExists: The route identified by 0.0.0.0/0 already exists.",
		"CreateRoute&DestinationCidrBlock=8.0.0.0/8&GatewayId=igw-0" + rtb:        "InvalidInternetGatewayID.NotFound: The internetGateway ID 'igw-0' does not exist",
		"CreateRoute&DestinationCidrBlock=8.0.0.0/8&TransitGatewayId=tgw-0" + rtb: "UnsupportedOperation: TransitGatewayId is not supported by Neargate.",
		"DeleteRoute&DestinationCidrBlock=8.0.0.0/8" + rtb:                        "InvalidRoute.NotFound: no route with destination-cidr-block 8.0.0.0/8 in route table " + s.publicTable,
		"DeleteRoute&DestinationCidrBlock=50.0.0.0/16" + rtb:                      "InvalidParameterValue: cannot remove local route 50.0.0.0/16 in route table " + s.publicTable,
		"AssociateRouteTable&SubnetId=" + s.subnets[1] + rtb:                      "Resource.AlreadyAssociated: the specified association for route table " + s.publicTable + " conflicts with an existing association",
		"AssociateRouteTable&SubnetId=" + a.net.DefaultSubnets()[0] + rtb:         "InvalidParameterValue: route table " + s.publicTable + " and network " + a.net.DefaultSubnets()[0] + " belong to different networks",
		"DisassociateRouteTable&AssociationId=rtbassoc-0":                         "InvalidAssociationID.NotFound: The association ID 'rtbassoc-0' does not exist",
		"CreateNatGateway&SubnetId=" + s.subnets[0]:                               "MissingParameter: The request must contain the parameter AllocationId",
		"CreateNatGateway&AllocationId=eipalloc-0&SubnetId=" + s.subnets[0]:       "InvalidAllocationID.NotFound: The allocation ID 'eipalloc-0' does not exist",
		"DescribeNatGateways&NatGatewayId.1=nat-0":                                "NatGatewayNotFound: The Nat Gateway nat-0 was not found",
		"DescribeVpcClassicLink" + vpc:                                            "UnsupportedOperation: The functionality you requested is not available in this region.",
		"EnableVpcClassicLink" + vpc:                                              "UnsupportedOperation: The functionality you requested is not available in this region.",
		"CreateVpcEndpoint&ServiceName=com.amazonaws.us-west-2.s3" + vpc:          "InvalidServiceName: The Vpc Endpoint Service 'com.amazonaws.us-west-2.s3' does not exist",
		"CreateFlowLogs": "UnsupportedOperation: Flow logs are not supported by Neargate.",
		"AssociateDhcpOptions&DhcpOptionsId=dopt-0" + vpc: "InvalidDhcpOptionID.NotFound: The dhcpOption ID 'dopt-0' does not exist",
	} {
		if _, got := a.do(t, form); got != failure {
			t.Errorf("%s:\ngot  %s\nwant %s", form, got, failure)
		}
	}
}
