package balancer

import "neargate/internal/model"

func errNoLoadBalancer(arn string) error {
	return model.Errorf(model.NotFound, "LoadBalancerNotFound", "Load balancers '[%s]' not found", arn)
}

func errNoTargetGroup() error {
	return model.Errorf(model.NotFound, "TargetGroupNotFound", "One or more target groups not found")
}

func errNoListener() error {
	return model.Errorf(model.NotFound, "ListenerNotFound", "One or more listeners not found")
}

func errNoRule() error {
	return model.Errorf(model.NotFound, "RuleNotFound", "One or more rules not found")
}

func errLeadsElsewhere(rule string) error {
	return model.Errorf(model.Conflict, "ResourceInUse", "Rule '%s' leads elsewhere than to the target groups whose weights are to be set", rule)
}
