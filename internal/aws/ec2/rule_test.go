package ec2_test

import "testing"

func TestRulesAreModifiedInPlace(t *testing.T) {
	a := newAPI(t)
	group := a.must(t, "CreateSecurityGroup&GroupName=web&GroupDescription=web").one(t, "groupId")
	rule := a.must(t, "AuthorizeSecurityGroupIngress&GroupId="+group+"&IpPermissions.1.IpProtocol=tcp&IpPermissions.1.FromPort=80&IpPermissions.1.ToPort=80&IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0").
		one(t, "securityGroupRuleSet/item/securityGroupRuleId")
	changed := len(a.policies)
	a.must(t, "ModifySecurityGroupRules&GroupId="+group+"&SecurityGroupRule.1.SecurityGroupRuleId="+rule+
		"&SecurityGroupRule.1.SecurityGroupRule.IpProtocol=tcp&SecurityGroupRule.1.SecurityGroupRule.FromPort=443&SecurityGroupRule.1.SecurityGroupRule.ToPort=443"+
		"&SecurityGroupRule.1.SecurityGroupRule.CidrIpv4=10.0.0.0/8&SecurityGroupRule.1.SecurityGroupRule.Description=lan")
	got := a.must(t, "DescribeSecurityGroupRules&SecurityGroupRuleId.1="+rule)
	want(t, "port", got.all("securityGroupRuleSet/item/fromPort"), "443")
	want(t, "network", got.all("securityGroupRuleSet/item/cidrIpv4"), "10.0.0.0/8")
	want(t, "description", got.all("securityGroupRuleSet/item/description"), "lan")
	if len(a.policies) != changed+1 {
		t.Fatalf("the firewall was told %d times, want once more than %d", len(a.policies), changed)
	}
	for _, g := range a.policies[changed].Groups {
		if g.ID == group && g.Rules[len(g.Rules)-1].From != 443 {
			t.Errorf("in force: %+v, want port 443", g.Rules)
		}
	}
	a.must(t, "UpdateSecurityGroupRuleDescriptionsIngress&GroupId="+group+"&SecurityGroupRuleDescription.1.SecurityGroupRuleId="+rule+"&SecurityGroupRuleDescription.1.Description=office")
	want(t, "description", a.must(t, "DescribeSecurityGroupRules&SecurityGroupRuleId.1="+rule).all("securityGroupRuleSet/item/description"), "office")
}
