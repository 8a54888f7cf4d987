package scenario_test

import (
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
)

// byStrategy returns the check of an example that deploys by a strategy: a
// deployment of it succeeds, no request to the load balancer fails meanwhile, and
// traffic is where it belongs afterwards.
func byStrategy(name string, strategy ecstypes.DeploymentStrategy) func(*published) {
	return func(p *published) {
		between := p.alternate(name)
		p.values["TARGET_GROUP"], p.values["ALTERNATE_TARGET_GROUP"] = between.blue, between.green
		p.values["PRODUCTION_RULE"], p.values["TEST_RULE"] = between.production, between.test
		p.alarm(name + "-5xx")
		service := p.run(name, "")
		p.up(service)
		first := p.tasks(service, ecstypes.DesiredStatusRunning)
		before := p.serving(between)
		load := startLoad(p.t, "http://"+between.address+"/", true)
		must[*ecs.UpdateServiceOutput](p.t)(p.ecs.UpdateService(p.t.Context(), &ecs.UpdateServiceInput{Service: &service, ForceNewDeployment: true}))
		eventually(p.t, 2*time.Minute, "the deployment to succeed", func() error {
			if d := p.latest(service); d.Status != ecstypes.ServiceDeploymentStatusSuccessful || d.DeploymentConfiguration.Strategy != strategy {
				return fmt.Errorf("it is %s by %s at %s: %s", d.Status, d.DeploymentConfiguration.Strategy, d.LifecycleStage, aws.ToString(d.StatusReason))
			}
			return nil
		})
		if sent, failed := load.end(); len(failed) > 0 || sent == 0 {
			p.t.Errorf("%d of %d requests failed, first: %s", len(failed), sent, failed[:min(len(failed), 3)])
		}
		p.up(service)
		for arn := range p.tasks(service, ecstypes.DesiredStatusRunning) {
			if _, old := first[arn]; old {
				p.t.Errorf("task %s was not replaced", arn)
			}
		}
		after := p.serving(between)
		has(p.t, "traffic went to the other group", after != before, strategy != ecstypes.DeploymentStrategyRolling)
		health := must[*elb.DescribeTargetHealthOutput](p.t)(p.elb.DescribeTargetHealth(p.t.Context(), &elb.DescribeTargetHealthInput{TargetGroupArn: &after}))
		has(p.t, "targets of the group that serves", len(health.TargetHealthDescriptions), 2)
	}
}

// serving returns the one target group that the production rule leads to.
func (p *published) serving(between pair) (group string) {
	p.t.Helper()
	rule := must[*elb.DescribeRulesOutput](p.t)(p.elb.DescribeRules(p.t.Context(), &elb.DescribeRulesInput{RuleArns: []string{between.production}})).Rules[0]
	for _, g := range rule.Actions[0].ForwardConfig.TargetGroups {
		if *g.Weight == 0 {
			continue
		}
		if group != "" {
			p.t.Errorf("the production rule leads to two groups: %+v", rule.Actions)
		}
		group = *g.TargetGroupArn
	}
	return group
}

// alarm makes an alarm that nothing sets off.
func (p *published) alarm(name string) {
	p.t.Helper()
	must[*cloudwatch.PutMetricAlarmOutput](p.t)(p.metrics.PutMetricAlarm(p.t.Context(), &cloudwatch.PutMetricAlarmInput{
		AlarmName: &name, Namespace: aws.String("AWS/ApplicationELB"), MetricName: aws.String("HTTPCode_Target_5XX_Count"), Statistic: cwtypes.StatisticSum,
		Period: aws.Int32(60), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(10), ComparisonOperator: cwtypes.ComparisonOperatorGreaterThanThreshold,
		TreatMissingData: aws.String("notBreaching"),
	}))
}
