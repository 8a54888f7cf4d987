package app

import (
	"neargate/internal/ecs"
	"neargate/internal/model"
	"neargate/internal/store"
)

// schema returns the tables of the state file of a server at place. A change of
// what is kept under a field's name needs a migration here; docs/state.md says
// how.
func schema(place model.Place) store.Schema {
	return store.Schema{
		Home: store.Scope{Account: place.Account, Region: place.Region},
		Tables: []store.TableSpec{
			{Name: "clusters", Migrations: []store.Migration{ecs.MigrateCluster1}},
			{Name: "task-definitions", Migrations: []store.Migration{ecs.MigrateTaskDefinition1}},
			{Name: "services"},
			{Name: "service-deployments"},
			{Name: "service-events"},
			{Name: "tasks"},
			{Name: "ecs-account-settings"},

			{Name: "balancer-loadbalancers"},
			{Name: "balancer-listeners"},
			{Name: "balancer-rules"},
			{Name: "balancer-targetgroups"},
			{Name: "balancer-targets"},
			{Name: "balancer-tickets"},
			{Name: "certificates"},
			{Name: "trust-stores"},
			{Name: "certificates-account"},
			{Name: "acme-accounts"},
			{Name: "balancer-keys"},
			{Name: "connect-addresses"},

			{Name: "scalable-targets"},
			{Name: "scaling-policies"},
			{Name: "scaling-memories"},
			{Name: "scaling-activities"},
			{Name: "scheduled-actions"},
			{Name: "forecasts"},

			{Name: "alarms"},
			{Name: "alarm-history"},

			{Name: "log_groups"},
			{Name: "log_streams"},

			{Name: "registry_repositories"},
			{Name: "registry_images"},
			{Name: "registry_tags"},
			{Name: "registry_blobs"},
			{Name: "registry_rootfs"},
			{Name: "registry_pulled"},
			{Name: "registry_names"},
			{Name: "registry_endpoints"},
			{Name: "registry_secret"},

			{Name: "secrets"},
			{Name: "parameters"},

			{Name: "buckets"},
			{Name: "objects"},
			{Name: "object_uploads"},

			{Name: "file-systems"},
			{Name: "file-system-access-points"},
			{Name: "file-system-mount-targets"},

			{Name: "discovery_namespaces"},
			{Name: "discovery_services"},
			{Name: "discovery_instances"},
			{Name: "discovery_operations"},

			{Name: "ec2_vpcs"},
			{Name: "ec2_subnets"},
			{Name: "ec2_internet_gateways"},
			{Name: "ec2_egress_gateways"},
			{Name: "ec2_nat_gateways"},
			{Name: "ec2_route_tables"},
			{Name: "ec2_addresses"},
			{Name: "ec2_network_acls"},
			{Name: "ec2_dhcp_options"},
			{Name: "ec2_vpc_endpoints"},
			{Name: "ec2_security_groups"},
			{Name: "ec2_tags"},

			{Name: "iam_roles", Account: true},
			{Name: "iam_policies", Account: true},
			{Name: "iam_instance_profiles", Account: true},
			{Name: "iam_deletions", Account: true},
			{Name: "sts_credentials", Account: true},
		},
	}
}
