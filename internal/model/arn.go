package model

import (
	"fmt"
	"strconv"
	"strings"
)

// Place is where the resources of one server live: the region and account that
// stand in every ARN.
type Place struct {
	Region  string // e.g. "us-east-1"
	Account string // 12 digits
}

func (p Place) arn(service, tail string) string {
	return fmt.Sprintf("arn:aws:%s:%s:%s:%s", service, p.Region, p.Account, tail)
}

// ClusterARN is arn:aws:ecs:R:A:cluster/NAME.
func (p Place) ClusterARN(name string) string { return p.arn("ecs", "cluster/"+name) }

// ServiceARN is arn:aws:ecs:R:A:service/CLUSTER/NAME.
func (p Place) ServiceARN(cluster, name string) string {
	return p.arn("ecs", "service/"+cluster+"/"+name)
}

// TaskARN is arn:aws:ecs:R:A:task/CLUSTER/ID.
func (p Place) TaskARN(cluster, id string) string { return p.arn("ecs", "task/"+cluster+"/"+id) }

// AttachmentARN is the ARN of the attachment of a task's network interface.
func (p Place) AttachmentARN(id string) string { return p.arn("ecs", "attachment/"+id) }

// ContainerARN is arn:aws:ecs:R:A:container/CLUSTER/TASK/ID.
func (p Place) ContainerARN(cluster, task, id string) string {
	return p.arn("ecs", "container/"+cluster+"/"+task+"/"+id)
}

// TaskDefinitionARN is arn:aws:ecs:R:A:task-definition/FAMILY:REVISION.
func (p Place) TaskDefinitionARN(family string, revision int) string {
	return p.arn("ecs", "task-definition/"+family+":"+strconv.Itoa(revision))
}

// LoadBalancerARN is arn:aws:elasticloadbalancing:R:A:loadbalancer/app/NAME/ID, ID 16 hex digits.
func (p Place) LoadBalancerARN(name, id string) string {
	return p.arn("elasticloadbalancing", "loadbalancer/app/"+name+"/"+id)
}

// TargetGroupARN is arn:aws:elasticloadbalancing:R:A:targetgroup/NAME/ID.
func (p Place) TargetGroupARN(name, id string) string {
	return p.arn("elasticloadbalancing", "targetgroup/"+name+"/"+id)
}

// ListenerARN is arn:aws:elasticloadbalancing:R:A:listener/app/NAME/LB/ID.
func (p Place) ListenerARN(name, lb, id string) string {
	return p.arn("elasticloadbalancing", "listener/app/"+name+"/"+lb+"/"+id)
}

// CertificateARN is arn:aws:acm:R:A:certificate/ID, ID a UUID.
func (p Place) CertificateARN(id string) string { return p.arn("acm", "certificate/"+id) }

// TrustStoreARN is arn:aws:elasticloadbalancing:R:A:truststore/NAME/ID.
func (p Place) TrustStoreARN(name, id string) string {
	return p.arn("elasticloadbalancing", "truststore/"+name+"/"+id)
}

// RuleARN is arn:aws:elasticloadbalancing:R:A:listener-rule/app/NAME/LB/LISTENER/ID.
func (p Place) RuleARN(name, lb, listener, id string) string {
	return p.arn("elasticloadbalancing", "listener-rule/app/"+name+"/"+lb+"/"+listener+"/"+id)
}

// ScalableTargetARN is arn:aws:application-autoscaling:R:A:scalable-target/ID.
func (p Place) ScalableTargetARN(id string) string {
	return p.arn("application-autoscaling", "scalable-target/"+id)
}

// PolicyARN names a scaling policy: arn:aws:autoscaling:R:A:scalingPolicy:UUID:resource/NAMESPACE/RESOURCE:policyName/NAME.
// The UUID belongs to the scalable target; its policies share it.
func (p Place) PolicyARN(uuid, namespace, resource, name string) string {
	return p.arn("autoscaling", fmt.Sprintf("scalingPolicy:%s:resource/%s/%s:policyName/%s", uuid, namespace, resource, name))
}

// ScheduledActionARN names a scheduled action: arn:aws:autoscaling:R:A:scheduledAction:UUID:resource/NAMESPACE/RESOURCE:scheduledActionName/NAME.
func (p Place) ScheduledActionARN(uuid, namespace, resource, name string) string {
	return p.arn("autoscaling", fmt.Sprintf("scheduledAction:%s:resource/%s/%s:scheduledActionName/%s", uuid, namespace, resource, name))
}

// AlarmARN is arn:aws:cloudwatch:R:A:alarm:NAME.
func (p Place) AlarmARN(name string) string { return p.arn("cloudwatch", "alarm:"+name) }

// RepositoryARN is arn:aws:ecr:R:A:repository/NAME.
func (p Place) RepositoryARN(name string) string { return p.arn("ecr", "repository/"+name) }

// RegistryHost is the registry's own name, ACCOUNT.dkr.ecr.REGION.amazonaws.com.
func (p Place) RegistryHost() string {
	return p.Account + ".dkr.ecr." + p.Region + ".amazonaws.com"
}

// LogGroupARN is arn:aws:logs:R:A:log-group:NAME, without the ":*" that some answers add.
func (p Place) LogGroupARN(name string) string { return p.arn("logs", "log-group:"+name) }

// SecretARN is arn:aws:secretsmanager:R:A:secret:NAME-SUFFIX; the suffix is six random characters.
func (p Place) SecretARN(name, suffix string) string {
	return p.arn("secretsmanager", "secret:"+name+"-"+suffix)
}

// ParameterARN is arn:aws:ssm:R:A:parameter/NAME; a name that begins with a slash has no second one.
func (p Place) ParameterARN(name string) string {
	return p.arn("ssm", "parameter/"+strings.TrimPrefix(name, "/"))
}

// FileSystemARN is arn:aws:elasticfilesystem:R:A:KIND/ID, of a file-system or an access-point.
func (p Place) FileSystemARN(kind, id string) string {
	return p.arn("elasticfilesystem", kind+"/"+id)
}

// RoleARN is arn:aws:iam::A:rolePATHNAME; IAM ARNs have no region. Path begins and ends with "/".
func (p Place) RoleARN(path, name string) string {
	return "arn:aws:iam::" + p.Account + ":role" + path + name
}

// ARN is an ARN cut into its parts.
type ARN struct {
	Partition, Service, Region, Account, Resource string
}

// ParseARN cuts an ARN; ok is false when s is not one.
func ParseARN(s string) (a ARN, ok bool) {
	parts := strings.SplitN(s, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[5] == "" {
		return ARN{}, false
	}
	return ARN{parts[1], parts[2], parts[3], parts[4], parts[5]}, true
}

// ARNTail returns what follows the n-th slash-separated part of an ARN's
// resource, or s itself when s is a bare name: ARNTail("arn:…:cluster/blue", 1)
// is "blue".
func ARNTail(s string, n int) string {
	a, ok := ParseARN(s)
	if !ok {
		return s
	}
	parts := strings.SplitN(a.Resource, "/", n+1)
	return parts[len(parts)-1]
}
