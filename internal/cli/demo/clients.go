package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
)

type clients struct {
	acm     *acm.Client
	ecr     *ecr.Client
	ecs     *ecs.Client
	elb     *elb.Client
	logs    *cloudwatchlogs.Client
	metrics *cloudwatch.Client
	scaling *applicationautoscaling.Client
}

func newClients(s Server) clients {
	cfg := aws.Config{
		Region:       s.Region,
		BaseEndpoint: aws.String(s.Endpoint),
		Credentials:  credentials.NewStaticCredentialsProvider(s.AccessKey, s.SecretKey, ""),
	}
	return clients{
		acm:     acm.NewFromConfig(cfg),
		ecr:     ecr.NewFromConfig(cfg),
		ecs:     ecs.NewFromConfig(cfg),
		elb:     elb.NewFromConfig(cfg),
		logs:    cloudwatchlogs.NewFromConfig(cfg),
		metrics: cloudwatch.NewFromConfig(cfg),
		scaling: applicationautoscaling.NewFromConfig(cfg),
	}
}

// waitFor asks done every step until it says true, fails, or limit has passed;
// then the error says what was waited for.
func waitFor(ctx context.Context, what string, limit, step time.Duration, done func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("waited %v for %s", limit, what))
	defer cancel()
	tick := time.NewTicker(step)
	defer tick.Stop()
	for {
		ok, err := done(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return fmt.Errorf("wait for %s: %w", what, err)
		}
		if ok {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}
