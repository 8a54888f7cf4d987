package scenario_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/smithy-go"
)

// writers write all the time through the APIs, and know what was acknowledged.
type writers struct {
	*ledger
	c       *client
	iam     *iam.Client
	metrics sums

	manifest, digest string // of the image

	gate   sync.RWMutex // held for reading by each write, and for writing by a pause
	ctx    context.Context
	cancel context.CancelFunc
	all    sync.WaitGroup
}

// sums are how much of a metric was acknowledged and sent.
type sums struct {
	mu                sync.Mutex
	acked, sent, lost float64
}

const (
	killNamespace = "kill"
	killLogs      = "/kill"
	killCluster   = "arn:aws:ecs:us-east-1:000000000000:cluster/default"
)

// startWriters starts one goroutine for each kind of write; they wait for
// resume.
func startWriters(t *testing.T, c *client, s *server, seed uint64) *writers {
	t.Helper()
	w := &writers{ledger: newLedger(), c: c, iam: iam.New(iam.Options{
		Region: s.Region, BaseEndpoint: aws.String(s.Endpoint),
		Credentials: credentials.NewStaticCredentialsProvider(s.AccessKey, s.SecretKey, ""),
	})}
	must[*cloudwatchlogs.CreateLogGroupOutput](t)(c.logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String(killLogs)}))
	must[*cloudwatchlogs.CreateLogStreamOutput](t)(c.logs.CreateLogStream(t.Context(), &cloudwatchlogs.CreateLogStreamInput{
		LogGroupName: aws.String(killLogs), LogStreamName: aws.String("s"),
	}))
	image := must[*ecr.BatchGetImageOutput](t)(c.ecr.BatchGetImage(t.Context(), &ecr.BatchGetImageInput{
		RepositoryName: aws.String("app"), ImageIds: []ecrtypes.ImageIdentifier{{ImageTag: aws.String("latest")}},
	})).Images[0]
	w.manifest, w.digest = *image.ImageManifest, *image.ImageId.ImageDigest
	w.ctx, w.cancel = context.WithCancel(t.Context())
	t.Cleanup(w.cancel)
	w.gate.Lock()
	for i, write := range []func(*rand.Rand, int) bool{
		w.service, w.definition, w.targetGroup, w.alarm, w.role, w.tag, w.logEvent, w.metric, w.task, w.image,
	} {
		w.all.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(i)+1))
			for n := 0; w.ctx.Err() == nil; n++ {
				w.gate.RLock()
				alive := w.ctx.Err() != nil || write(r, n)
				w.gate.RUnlock()
				if !alive { // no server: do not spin until it is back
					select {
					case <-w.ctx.Done():
					case <-time.After(5 * time.Millisecond):
					}
				}
			}
		})
	}
	return w
}

// resume lets the writers write; pause returns when the last write has come
// back.
func (w *writers) resume() { w.gate.Unlock() }
func (w *writers) pause()  { w.gate.Lock() }

// stop ends the writers, which are at pause.
func (w *writers) stop() {
	w.cancel()
	w.gate.Unlock()
	w.all.Wait()
}

// note takes in how a write ended; it reports whether the server is there.
func (w *writers) note(err error, kind, name, value string) (alive bool) {
	var refused smithy.APIError
	switch {
	case err == nil:
		w.wrote(kind, name, value)
		return true
	case errors.As(err, &refused) && refused.ErrorFault() == smithy.FaultClient:
		return true // refused: nothing has changed
	}
	w.tried(kind, name, value)
	return false
}

// once makes the SDK try no write again: each has one outcome.
func once[O any](set func(*O, int)) func(*O) { return func(o *O) { set(o, 1) } }

func ecsOnce() func(*ecs.Options) {
	return once(func(o *ecs.Options, n int) { o.RetryMaxAttempts = n })
}

func elbOnce() func(*elb.Options) {
	return once(func(o *elb.Options, n int) { o.RetryMaxAttempts = n })
}

func cwOnce() func(*cloudwatch.Options) {
	return once(func(o *cloudwatch.Options, n int) { o.RetryMaxAttempts = n })
}

func logsOnce() func(*cloudwatchlogs.Options) {
	return once(func(o *cloudwatchlogs.Options, n int) { o.RetryMaxAttempts = n })
}

// service creates, scales and deletes four services.
func (w *writers) service(r *rand.Rand, _ int) bool {
	name := fmt.Sprint("s", r.IntN(4))
	count := int32(r.IntN(3))
	now, sure := w.value("service", name)
	var err error
	value := fmt.Sprint(count)
	switch {
	case now == "" || !sure:
		_, err = w.c.ecs.CreateService(w.ctx, &ecs.CreateServiceInput{
			ServiceName: &name, TaskDefinition: aws.String("idle"), DesiredCount: &count, LaunchType: ecstypes.LaunchTypeFargate,
			NetworkConfiguration: w.network(),
		}, ecsOnce())
	case r.IntN(4) > 0:
		_, err = w.c.ecs.UpdateService(w.ctx, &ecs.UpdateServiceInput{Service: &name, DesiredCount: &count}, ecsOnce())
	default:
		value = ""
		_, err = w.c.ecs.DeleteService(w.ctx, &ecs.DeleteServiceInput{Service: &name, Force: aws.Bool(true)}, ecsOnce())
	}
	return w.note(err, "service", name, value)
}

func (w *writers) network() *ecstypes.NetworkConfiguration {
	return &ecstypes.NetworkConfiguration{AwsvpcConfiguration: &ecstypes.AwsVpcConfiguration{Subnets: w.c.network.Subnets}}
}

// definition registers revisions of one family; one whose answer was lost may
// be there or not.
func (w *writers) definition(_ *rand.Rand, n int) bool {
	_, err := w.c.ecs.RegisterTaskDefinition(w.ctx, &ecs.RegisterTaskDefinitionInput{
		Family: aws.String(fmt.Sprint("f", n)), NetworkMode: ecstypes.NetworkModeAwsvpc, Cpu: aws.String("256"), Memory: aws.String("512"),
		RequiresCompatibilities: []ecstypes.Compatibility{ecstypes.CompatibilityFargate},
		ContainerDefinitions:    []ecstypes.ContainerDefinition{{Name: aws.String("app"), Image: aws.String(fmt.Sprint("image:", n))}},
	}, ecsOnce())
	return w.note(err, "definition", fmt.Sprint("f", n), "there")
}

func (w *writers) targetGroup(r *rand.Rand, n int) bool {
	name := fmt.Sprint("tg", n)
	out, err := w.c.elb.CreateTargetGroup(w.ctx, &elb.CreateTargetGroupInput{
		Name: &name, Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(80), TargetType: elbtypes.TargetTypeEnumIp, VpcId: &w.c.network.VPC,
	}, elbOnce())
	if alive := w.note(err, "target group", name, "there"); !alive || err != nil || r.IntN(3) > 0 {
		return alive
	}
	_, err = w.c.elb.DeleteTargetGroup(w.ctx, &elb.DeleteTargetGroupInput{TargetGroupArn: out.TargetGroups[0].TargetGroupArn}, elbOnce())
	return w.note(err, "target group", name, "")
}

func (w *writers) alarm(r *rand.Rand, n int) bool {
	name := fmt.Sprint("a", r.IntN(20))
	_, err := w.c.metrics.PutMetricAlarm(w.ctx, &cloudwatch.PutMetricAlarmInput{
		AlarmName: &name, Namespace: aws.String(killNamespace), MetricName: aws.String("n"), Statistic: cw.StatisticSum, Period: aws.Int32(60),
		EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(float64(n)), ComparisonOperator: cw.ComparisonOperatorGreaterThanThreshold,
	}, cwOnce())
	return w.note(err, "alarm", name, fmt.Sprint(n))
}

func (w *writers) role(_ *rand.Rand, n int) bool {
	name := fmt.Sprint("r", n)
	_, err := w.iam.CreateRole(w.ctx, &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs-tasks.amazonaws.com"},"Action":"sts:AssumeRole"}]}`,
	)}, once(func(o *iam.Options, n int) { o.RetryMaxAttempts = n }))
	return w.note(err, "role", name, "there")
}

func (w *writers) tag(r *rand.Rand, n int) bool {
	key := fmt.Sprint("k", r.IntN(20))
	_, err := w.c.ecs.TagResource(w.ctx, &ecs.TagResourceInput{
		ResourceArn: aws.String(killCluster),
		Tags:        []ecstypes.Tag{{Key: &key, Value: aws.String(fmt.Sprint(n))}},
	}, ecsOnce())
	return w.note(err, "tag", key, fmt.Sprint(n))
}

func (w *writers) logEvent(_ *rand.Rand, n int) bool {
	_, err := w.c.logs.PutLogEvents(w.ctx, &cloudwatchlogs.PutLogEventsInput{
		LogGroupName: aws.String(killLogs), LogStreamName: aws.String("s"),
		LogEvents: []logtypes.InputLogEvent{{Timestamp: aws.Int64(time.Now().UnixMilli()), Message: aws.String(strconv.Itoa(n))}},
	}, logsOnce())
	return w.note(err, "log event", strconv.Itoa(n), "once")
}

func (w *writers) metric(*rand.Rand, int) bool {
	w.metrics.mu.Lock()
	defer w.metrics.mu.Unlock()
	w.metrics.sent++
	_, err := w.c.metrics.PutMetricData(w.ctx, &cloudwatch.PutMetricDataInput{
		Namespace:  aws.String(killNamespace),
		MetricData: []cw.MetricDatum{{MetricName: aws.String("n"), Value: aws.Float64(1), StorageResolution: aws.Int32(1)}},
	}, cwOnce())
	if err == nil {
		w.metrics.acked++
	}
	return err == nil
}

// task runs tasks and stops the one it ran before.
func (w *writers) task(*rand.Rand, int) bool {
	out, err := w.c.ecs.RunTask(w.ctx, &ecs.RunTaskInput{
		TaskDefinition: aws.String("idle"), LaunchType: ecstypes.LaunchTypeFargate, NetworkConfiguration: w.network(),
	}, ecsOnce())
	if err != nil || len(out.Tasks) == 0 {
		return err == nil
	}
	arn := *out.Tasks[0].TaskArn
	w.note(nil, "task", arn, "there")
	_, err = w.c.ecs.StopTask(w.ctx, &ecs.StopTaskInput{Task: &arn}, ecsOnce())
	if err == nil {
		w.wrote("task", arn, "stopped")
	} else {
		w.tried("task", arn, "stopped")
	}
	return err == nil
}

// image names the image once more.
func (w *writers) image(_ *rand.Rand, n int) bool {
	tag := fmt.Sprint("t", n)
	_, err := w.c.ecr.PutImage(w.ctx, &ecr.PutImageInput{
		RepositoryName: aws.String("app"), ImageManifest: &w.manifest, ImageTag: &tag,
	}, once(func(o *ecr.Options, n int) { o.RetryMaxAttempts = n }))
	return w.note(err, "image", tag, w.digest)
}

func (w *writers) String() string {
	w.metrics.mu.Lock()
	defer w.metrics.mu.Unlock()
	return strings.Join([]string{w.ledger.String(), fmt.Sprintf("datapoints %v, not acknowledged and not there %v", w.metrics.sent, w.metrics.lost)}, "; ")
}
