package ec2_test

import (
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"neargate/internal/aws/sigv4"
	"neargate/internal/vpc"
)

func TestDefaultNetwork(t *testing.T) {
	a := newAPI(t)
	vpc := a.must(t, "DescribeVpcs&Filter.1.Name=isDefault&Filter.1.Value.1=true")
	want(t, "VPC", vpc.all("vpcSet/item/vpcId"), a.net.DefaultVPC())
	want(t, "CIDR", vpc.all("vpcSet/item/cidrBlock"), "10.7.0.0/16")
	subnets := a.must(t, "DescribeSubnets&Filter.1.Name=vpc-id&Filter.1.Value.1="+a.net.DefaultVPC())
	want(t, "subnets", subnets.all("subnetSet/item/subnetId"), a.net.DefaultSubnets()...)
	want(t, "their CIDRs", subnets.all("subnetSet/item/cidrBlock"), "10.7.0.0/18", "10.7.64.0/18", "10.7.128.0/18")
	want(t, "their zones", subnets.all("subnetSet/item/availabilityZone"), "eu-central-1a", "eu-central-1b", "eu-central-1c")
	want(t, "their sizes", subnets.all("subnetSet/item/availableIpAddressCount"), "16379", "16379", "16379")
	zones := a.must(t, "DescribeAvailabilityZones&Filter.1.Name=state&Filter.1.Value.1=available")
	want(t, "zones", zones.all("availabilityZoneInfo/item/zoneName"), "eu-central-1a", "eu-central-1b", "eu-central-1c")
	want(t, "zone ids", zones.all("availabilityZoneInfo/item/zoneId"), "euc1-az1", "euc1-az2", "euc1-az3")
	want(t, "regions", a.must(t, "DescribeRegions").all("regionInfo/item/regionName"), "eu-central-1")
	want(t, "default VPC of the account", a.must(t, "DescribeAccountAttributes&AttributeName.1=default-vpc").
		all("accountAttributeSet/item/attributeValueSet/item/attributeValue"), a.net.DefaultVPC())
	want(t, "DNS attribute", a.must(t, "DescribeVpcAttribute&Attribute=enableDnsSupport&VpcId="+a.net.DefaultVPC()).all("enableDnsSupport/value"), "true")
	want(t, "gateway", a.must(t, "DescribeInternetGateways").all("internetGatewaySet/item/attachmentSet/item/vpcId"), a.net.DefaultVPC())
	want(t, "routes", a.must(t, "DescribeRouteTables").all("routeTableSet/item/routeSet/item/destinationCidrBlock"), "10.7.0.0/16", "0.0.0.0/0")
	want(t, "group", a.must(t, "DescribeSecurityGroups&Filter.1.Name=group-name&Filter.1.Value.1=default").
		all("securityGroupInfo/item/groupId"), a.net.DefaultSecurityGroup())
	want(t, "nothing passes", a.must(t, "DescribeVpcs&Filter.1.Name=vpc-id&Filter.1.Value.1=vpc-0").all("vpcSet/item/vpcId"))
	if _, zone, ok := a.net.Subnet(a.net.DefaultSubnets()[1]); !ok || zone != "eu-central-1b" {
		t.Errorf("Subnet: zone %q, %v", zone, ok)
	}
}

func TestSecurityGroupLife(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	a, stop := open(t, path, anyone{})
	made := a.must(t, "CreateSecurityGroup&GroupName=web&GroupDescription=the web&VpcId="+a.net.DefaultVPC()+
		"&TagSpecification.1.ResourceType=security-group&TagSpecification.1.Tag.1.Key=env&TagSpecification.1.Tag.1.Value=dev")
	id := made.all("groupId")[0]
	rule := "&GroupId=" + id + "&IpPermissions.1.IpProtocol=tcp&IpPermissions.1.FromPort=80&IpPermissions.1.ToPort=80"
	a.must(t, "AuthorizeSecurityGroupIngress"+rule+"&IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0&IpPermissions.1.IpRanges.2.CidrIp=10.1.2.3/8&IpPermissions.1.IpRanges.2.Description=lan")
	a.must(t, "AuthorizeSecurityGroupIngress&GroupId="+id+"&IpPermissions.1.IpProtocol=-1&IpPermissions.1.Groups.1.GroupId="+a.net.DefaultSecurityGroup())
	a.must(t, "AuthorizeSecurityGroupIngress&GroupName=web&IpProtocol=udp&FromPort=1&ToPort=2&CidrIp=1.2.3.4/32")
	stop()
	a, stop = open(t, path, anyone{})
	defer stop()
	got := a.must(t, "DescribeSecurityGroups&GroupId.1="+id)
	item := "securityGroupInfo/item/"
	want(t, "ports after a restart", got.all(item+"ipPermissions/item/fromPort"), "80", "1")
	want(t, "protocols", got.all(item+"ipPermissions/item/ipProtocol"), "tcp", "-1", "udp")
	want(t, "networks", got.all(item+"ipPermissions/item/ipRanges/item/cidrIp"), "0.0.0.0/0", "10.0.0.0/8", "1.2.3.4/32")
	want(t, "groups", got.all(item+"ipPermissions/item/groups/item/groupId"), a.net.DefaultSecurityGroup())
	want(t, "egress", got.all(item+"ipPermissionsEgress/item/ipRanges/item/cidrIp"), "0.0.0.0/0")
	want(t, "empty sets are told", got.all(item+"ipPermissionsEgress/item/ipv6Ranges"), "")
	want(t, "tags", got.all(item+"tagSet/item/value"), "dev")

	_, failure := a.do(t, "AuthorizeSecurityGroupIngress"+rule+"&IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0")
	want(t, "rule twice", []string{failure}, `InvalidPermission.Duplicate: the specified rule "peer: 0.0.0.0/0, TCP, from port: 80, to port: 80, ALLOW" already exists`)
	a.must(t, "RevokeSecurityGroupIngress"+rule+"&IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0")
	_, failure = a.do(t, "RevokeSecurityGroupIngress"+rule+"&IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0")
	want(t, "rule gone", []string{failure}, "InvalidPermission.NotFound: The specified rule does not exist in this security group.")
	a.must(t, "RevokeSecurityGroupEgress&GroupId="+id+"&IpPermissions.1.IpProtocol=-1&IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0")
	rules := a.must(t, "DescribeSecurityGroupRules&Filter.1.Name=group-id&Filter.1.Value.1="+id)
	if n := len(rules.all("securityGroupRuleSet/item/securityGroupRuleId")); n != 3 {
		t.Errorf("%d rules left, want 3", n)
	}
	for _, r := range rules.all("securityGroupRuleSet/item/securityGroupRuleId") {
		a.must(t, "RevokeSecurityGroupIngress&GroupId="+id+"&SecurityGroupRuleId.1="+r)
	}
	want(t, "no rule left", a.must(t, "DescribeSecurityGroups&GroupId.1="+id).all(item+"ipPermissions/item/ipProtocol"))

	a.task.subnet, a.task.group = a.net.DefaultSubnets()[0], id
	_, failure = a.do(t, "DeleteSecurityGroup&GroupId="+id)
	want(t, "used by a task", []string{failure}, "DependencyViolation: resource "+id+" has a dependent object")
	a.task.subnet = ""
	want(t, "deleted", a.must(t, "DeleteSecurityGroup&GroupId="+id).all("groupId"), id)
	_, failure = a.do(t, "DescribeSecurityGroups&GroupId.1="+id)
	want(t, "gone", []string{failure}, "InvalidGroup.NotFound: The security group '"+id+"' does not exist")
	want(t, "its tags too", a.must(t, "DescribeTags").all("tagSet/item/key"))
}

func TestTagsOfAnyResource(t *testing.T) {
	a := newAPI(t)
	subnet := a.net.DefaultSubnets()[2]
	a.must(t, "CreateTags&ResourceId.1="+subnet+"&ResourceId.2="+a.net.DefaultVPC()+"&Tag.1.Key=b&Tag.1.Value=2&Tag.2.Key=a&Tag.2.Value=")
	want(t, "by tag", a.must(t, "DescribeSubnets&Filter.1.Name=tag:b&Filter.1.Value.1=2").all("subnetSet/item/subnetId"), subnet)
	want(t, "by wildcard", a.must(t, "DescribeSubnets&Filter.1.Name=tag-key&Filter.1.Value.1=?").all("subnetSet/item/subnetId"), subnet)
	want(t, "on the VPC", a.must(t, "DescribeVpcs").all("vpcSet/item/tagSet/item/key"), "a", "b")
	want(t, "empty value is told", a.must(t, "DescribeVpcs").all("vpcSet/item/tagSet/item/value"), "", "2")
	a.must(t, "DeleteTags&ResourceId.1="+a.net.DefaultVPC()+"&Tag.1.Key=b&Tag.1.Value=other&Tag.2.Key=a")
	left := a.must(t, "DescribeTags&Filter.1.Name=resource-type&Filter.1.Value.1=vpc")
	want(t, "after DeleteTags", left.all("tagSet/item/key"), "b")
}

func TestInterfacesOfTasks(t *testing.T) {
	a := newAPI(t)
	want(t, "without tasks", a.must(t, "DescribeNetworkInterfaces").all("networkInterfaceSet/item/status"))
	a.task.subnet, a.task.group = a.net.DefaultSubnets()[1], a.net.DefaultSecurityGroup()
	got := a.must(t, "DescribeNetworkInterfaces&NetworkInterfaceId.1=eni-1&Filter.1.Name=group-name&Filter.1.Value.1=default")
	want(t, "address", got.all("networkInterfaceSet/item/privateIpAddress"), "10.7.0.9")
	want(t, "zone", got.all("networkInterfaceSet/item/availabilityZone"), "eu-central-1b")
	want(t, "group", got.all("networkInterfaceSet/item/groupSet/item/groupName"), "default")
	none := a.must(t, "DescribeNetworkInterfaces&Filter.1.Name=description&Filter.1.Value.1=ELB app/*")
	want(t, "of load balancers", none.all("networkInterfaceSet/item/status"))
}

func TestRefusals(t *testing.T) {
	a := newAPI(t)
	group := "&GroupId=" + a.net.DefaultSecurityGroup()
	for form, failure := range map[string]string{
		"DescribeVpcs&VpcId.1=vpc-1":                                                 "InvalidVpcID.NotFound: The vpc ID 'vpc-1' does not exist",
		"DescribeVpcs&Filter.1.Name=colour":                                          "InvalidParameterValue: The filter 'colour' is invalid",
		"DescribeSubnets&SubnetId.1=subnet-1":                                        "InvalidSubnetID.NotFound: The subnet ID 'subnet-1' does not exist",
		"DescribeSubnets&MaxResults=2":                                               "InvalidParameterValue: Value ( 2 ) for parameter maxResults is invalid. Expecting a value from 5 to 1000.",
		"DescribeSubnets&MaxResults=x":                                               "InvalidParameterValue: The value \"x\" of parameter MaxResults is not an integer.",
		"DescribeSubnets&NextToken=!":                                                "InvalidNextToken: The token '!' is invalid",
		"DescribeVpcAttribute&VpcId=" + a.net.DefaultVPC():                           "MissingParameter: The request must contain the parameter attribute",
		"DescribeRegions&RegionName.1=mars-1":                                        "InvalidParameterValue: Invalid region provided: mars-1",
		"DescribeSecurityGroups&GroupId.1=x":                                         `InvalidGroupId.Malformed: Invalid id: "x" (expecting "sg-...")`,
		"DescribeSecurityGroups&GroupName.1=x":                                       "InvalidGroup.NotFound: The security group 'x' does not exist in default VPC '" + a.net.DefaultVPC() + "'",
		"CreateSecurityGroup&GroupName=x":                                            "MissingParameter: The request must contain the parameter GroupDescription",
		"CreateSecurityGroup&GroupName=default&GroupDescription=d":                   "InvalidGroup.Reserved: The security group name 'default' is reserved",
		"CreateSecurityGroup&GroupName=x&GroupDescription=d&VpcId=vpc-1":             "InvalidVpcID.NotFound: The vpc ID 'vpc-1' does not exist",
		"DeleteSecurityGroup" + group:                                                `CannotDelete: the specified group: "` + a.net.DefaultSecurityGroup() + `" name: "default" cannot be deleted by a user`,
		"DeleteSecurityGroup&DryRun=true":                                            "DryRunOperation: Request would have succeeded, but DryRun flag is set.",
		"AuthorizeSecurityGroupIngress" + group:                                      "MissingParameter: The request must contain the parameter ipPermissions",
		"AuthorizeSecurityGroupIngress" + group + "&IpProtocol=tcp&CidrIp=0.0.0.0/0": "InvalidParameterValue: Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.",

		"AuthorizeSecurityGroupIngress" + group + "&IpProtocol=tcp&FromPort=9&ToPort=8&CidrIp=0.0.0.0/0":                "InvalidParameterValue: Invalid value '9-8' for portRange. Must be from 0 to 65535, the lower port first.",
		"AuthorizeSecurityGroupIngress" + group + "&IpProtocol=carrier-pigeon&CidrIp=0.0.0.0/0":                         "InvalidParameterValue: Invalid value 'carrier-pigeon' for IP protocol. Unknown protocol.",
		"AuthorizeSecurityGroupIngress" + group + "&IpProtocol=tcp&FromPort=1&ToPort=1&CidrIp=10.0.0.0":                 "InvalidParameterValue: CIDR block 10.0.0.0 is malformed",
		"AuthorizeSecurityGroupIngress" + group + "&IpProtocol=tcp&FromPort=1&ToPort=1":                                 "InvalidParameterValue: Either a CIDR, a security group or a prefix list must be given for protocol tcp.",
		"AuthorizeSecurityGroupEgress" + group + "&IpPermissions.1.IpProtocol=-1&IpPermissions.1.Groups.1.GroupId=sg-1": "InvalidGroup.NotFound: The security group 'sg-1' does not exist",
		"RevokeSecurityGroupIngress" + group + "&SecurityGroupRuleId.1=sgr-1":                                           "InvalidSecurityGroupRuleId.NotFound: The security group rule ID 'sgr-1' does not exist",
		"CreateTags&ResourceId.1=i-1&Tag.1.Key=a":                                                                       "InvalidID: The ID 'i-1' is not valid",
		"CreateTags&ResourceId.1=eni-1&Tag.1.Key=a":                                                                     "InvalidNetworkInterfaceID.NotFound: The networkInterface ID 'eni-1' does not exist",
		"CreateTags&ResourceId.1=" + a.net.DefaultVPC() + "&Tag.1.Key=aws:a":                                            "InvalidParameterValue: Tag keys starting with 'aws:' are reserved for internal use",
		"DescribeNetworkInterfaces&Filter.1.Name=colour":                                                                "InvalidParameterValue: The filter 'colour' is invalid",
	} {
		if _, got := a.do(t, form); got != failure {
			t.Errorf("%s:\ngot  %s\nwant %s", form, got, failure)
		}
	}
	want(t, "state after the refusals", a.must(t, "DescribeTags").all("tagSet/item/key"))
	if n := len(a.must(t, "DescribeSecurityGroupRules").all("securityGroupRuleSet/item/groupId")); n != 2 {
		t.Errorf("%d rules, want the default group's 2", n)
	}
}

func TestRulesAreLimited(t *testing.T) {
	a := newAPI(t)
	var form strings.Builder
	form.WriteString("AuthorizeSecurityGroupIngress&GroupName=default&IpPermissions.1.IpProtocol=-1")
	for i := range 60 {
		form.WriteString("&IpPermissions.1.IpRanges." + strconv.Itoa(i+1) + ".CidrIp=10.0." + strconv.Itoa(i) + ".0/24")
	}
	_, failure := a.do(t, form.String())
	want(t, "61 rules", []string{failure}, "RulesPerSecurityGroupLimitExceeded: The maximum number of rules per security group has been reached.")
}

func TestConfigIsChecked(t *testing.T) {
	for _, cidr := range []string{"10.0.0.0/8", "10.0.0.0/27", "fd00::/64"} {
		if err := (vpc.Config{CIDR: netip.MustParsePrefix(cidr)}).Validate(); err == nil {
			t.Errorf("%s was taken", cidr)
		}
	}
}

// TestCommandLineClients runs the AWS CLIs that are installed, with signatures
// checked.
func TestCommandLineClients(t *testing.T) {
	if testing.Short() {
		t.Skip("needs time: each command of an AWS CLI takes half a second of CPU")
	}
	for _, cli := range []string{"/usr/bin/aws", "/root/.pyenv/shims/aws"} {
		t.Run(cli, func(t *testing.T) {
			if _, err := os.Stat(cli); err != nil {
				t.Skipf("needs the AWS CLI at %s: %v", cli, err)
			}
			a, stop := open(t, filepath.Join(t.TempDir(), "state.db"), sigv4.New(root{}, sigv4.Config{}))
			defer stop()
			srv := httptest.NewServer(a.handler)
			defer srv.Close()
			run := func(line string) string {
				args := slices.Concat(strings.Fields(line), []string{"--endpoint-url", srv.URL, "--output", "text"})
				cmd := exec.CommandContext(t.Context(), cli, args...)
				cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=root", "AWS_SECRET_ACCESS_KEY=secret", "AWS_DEFAULT_REGION=eu-central-1", "AWS_REGION=eu-central-1", "HOME="+t.TempDir())
				out, _ := cmd.CombinedOutput()
				return strings.TrimSpace(string(out))
			}
			subnets := run("ec2 describe-subnets --query Subnets[].SubnetId --filters Name=default-for-az,Values=true")
			want(t, "subnets", strings.Fields(subnets), a.net.DefaultSubnets()...)
			id := run("ec2 create-security-group --group-name web --description web --query GroupId --vpc-id " + a.net.DefaultVPC())
			want(t, "authorize", []string{run("ec2 authorize-security-group-ingress --protocol tcp --port 80 --cidr 0.0.0.0/0 --query Return --group-id " + id)}, "True")
			got := run("ec2 describe-security-groups --query SecurityGroups[].IpPermissions[].[IpProtocol,FromPort,IpRanges[0].CidrIp,length(Ipv6Ranges)] --group-ids " + id)
			want(t, "group", strings.Fields(got), "tcp", "80", "0.0.0.0/0", "0")
		})
	}
}
