package ec2_test

import "testing"

func TestNetworkACLs(t *testing.T) {
	a := newAPI(t)
	s := makeStack(t, a)
	acl := a.must(t, "CreateNetworkAcl&VpcId="+s.vpc).one(t, "networkAcl/networkAclId")
	entry := "&NetworkAclId=" + acl + "&RuleNumber=100&Egress=false&CidrBlock=0.0.0.0/0&Protocol=6&PortRange.From=80&PortRange.To=80"
	a.must(t, "CreateNetworkAclEntry&RuleAction=allow"+entry)
	_, failure := a.do(t, "CreateNetworkAclEntry&RuleAction=allow"+entry)
	want(t, "entry twice", []string{failure}, "NetworkAclEntryAlreadyExists: The network acl entry identified by 100 already exists.")
	a.must(t, "ReplaceNetworkAclEntry&RuleAction=deny"+entry)
	was := a.must(t, "DescribeNetworkAcls&Filter.1.Name=association.subnet-id&Filter.1.Value.1="+s.subnets[0])
	for i, subnet := range was.all("networkAclSet/item/associationSet/item/subnetId") {
		if subnet == s.subnets[0] {
			a.must(t, "ReplaceNetworkAclAssociation&NetworkAclId="+acl+"&AssociationId="+was.all("networkAclSet/item/associationSet/item/networkAclAssociationId")[i])
		}
	}
	got := a.must(t, "DescribeNetworkAcls&NetworkAclId.1="+acl)
	want(t, "subnets", got.all("networkAclSet/item/associationSet/item/subnetId"), s.subnets[0])
	want(t, "entries", got.all("networkAclSet/item/entrySet/item/ruleNumber"), "32767", "100", "32767")
	want(t, "action", got.all("networkAclSet/item/entrySet/item/ruleAction"), "deny", "deny", "deny")
	want(t, "port", got.all("networkAclSet/item/entrySet/item/portRange/from"), "80")
	_, failure = a.do(t, "DeleteNetworkAcl&NetworkAclId="+acl)
	want(t, "in use", []string{failure}, "DependencyViolation: The networkAcl '"+acl+"' has dependencies and cannot be deleted.")
	a.must(t, "DeleteNetworkAclEntry&NetworkAclId="+acl+"&RuleNumber=100&Egress=false")
}
