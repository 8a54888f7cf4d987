package iam

import "testing"

func TestTrustOfServices(t *testing.T) {
	const ecsTasks = "ecs-tasks.amazonaws.com"
	for _, row := range []struct {
		name, statement string
		want            bool
	}{
		{"the service", `{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}`, true},
		{"one of several", `{"Effect":"Allow","Principal":{"Service":["ec2.amazonaws.com","ecs-tasks.amazonaws.com"]},"Action":["sts:TagSession","sts:assumerole"]}`, true},
		{"everybody", `{"Effect":"Allow","Principal":"*","Action":"sts:*"}`, true},
		{"another service", `{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}`, false},
		{"an account", `{"Effect":"Allow","Principal":{"AWS":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}`, false},
		{"another action", `{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRoleWithSAML"}`, false},
		{"denied", `{"Effect":"Deny","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}`, false},
	} {
		d, err := parseDocument(`{"Version":"2012-10-17","Statement":`+row.statement+`}`, "")
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Statement[0].admits(ecsTasks); got != row.want {
			t.Errorf("%s: got %v, want %v", row.name, got, row.want)
		}
	}
}
