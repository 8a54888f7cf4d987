package ecs

import (
	"strings"

	"neargate/internal/model"
)

// checkShifting refuses a service whose strategy its load balancers do not allow.
// The words are those of the developer guide, troubleshooting-blue-green.
func checkShifting(svc model.Service) error {
	with, seen := 0, map[string]bool{}
	for _, lb := range svc.LoadBalancers {
		if lb.AlternateARN+lb.ProductionRule+lb.TestRule+lb.RoleARN == "" {
			continue
		}
		with++
		if err := checkAlternate(lb, seen); err != nil {
			return err
		}
	}
	switch {
	case with > 0 && with < len(svc.LoadBalancers):
		return invalid("Either all or none of the provided loadBalancers must have advancedConfiguration defined")
	case with < len(svc.LoadBalancers) && svc.Rollout.Strategy.Shifts():
		return invalid("advancedConfiguration field is required for all loadBalancers when using a non-ROLLING deployment strategy")
	}
	return nil
}

func checkAlternate(lb model.ServiceLoadBalancer, seen map[string]bool) error {
	switch {
	case lb.AlternateARN == "":
		return invalid("alternateTargetGroupArn can not be blank.")
	case lb.ProductionRule == "":
		return invalid("productionListenerRule can not be blank.")
	case lb.RoleARN == "":
		return invalid("roleArn can not be blank.")
	case lb.ProductionRule == lb.TestRule:
		return invalid("The following rules cannot be used as both production and test listener rules: %s", lb.TestRule)
	}
	for _, arn := range []string{lb.TargetGroupARN, lb.AlternateARN} {
		if seen[arn] {
			return invalid("Duplicate targetGroupArn found: %s", arn)
		}
		seen[arn] = true
	}
	for name, arn := range map[string]string{"productionListenerRule": lb.ProductionRule, "testListenerRule": lb.TestRule} {
		if arn != "" && !strings.Contains(arn, ":listener-rule/app/") {
			return invalid("%s has an invalid ARN format. Must be RuleArn for ALB or ListenerArn for NLB. Got: %s", name, arn)
		}
	}
	return nil
}
