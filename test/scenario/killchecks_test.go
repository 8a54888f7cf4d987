package scenario_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cw "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// check holds everything that was written against what the server answers.
func (w *writers) check(t *testing.T) {
	t.Helper()
	found := map[string]string{}
	for _, look := range []func(*testing.T, map[string]string){
		w.lookAtServices, w.lookAtDefinitions, w.lookAtTasks, w.lookAtTargetGroups, w.lookAtAlarms,
		w.lookAtRoles, w.lookAtTags, w.lookAtLogs, w.lookAtImages,
	} {
		look(t, found)
	}
	w.compare(t, found)
	w.checkMetric(t)
}

// known returns the names of a kind that were ever written.
func (w *writers) known(kind string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var names []string
	for key := range w.want {
		if name, ok := strings.CutPrefix(key, kind+" "); ok {
			names = append(names, name)
		}
	}
	return names
}

func (w *writers) activeServices(t *testing.T) []ecstypes.Service {
	t.Helper()
	out := must[*ecs.DescribeServicesOutput](t)(w.c.ecs.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Services: []string{"s0", "s1", "s2", "s3"}}))
	return slices.DeleteFunc(out.Services, func(s ecstypes.Service) bool { return *s.Status != "ACTIVE" })
}

func (w *writers) lookAtServices(t *testing.T, found map[string]string) {
	t.Helper()
	for _, s := range w.activeServices(t) {
		found["service "+*s.ServiceName] = fmt.Sprint(s.DesiredCount)
	}
}

func (w *writers) lookAtDefinitions(t *testing.T, found map[string]string) {
	t.Helper()
	for p := ecs.NewListTaskDefinitionFamiliesPaginator(w.c.ecs, &ecs.ListTaskDefinitionFamiliesInput{FamilyPrefix: aws.String("f")}); p.HasMorePages(); {
		for _, family := range must[*ecs.ListTaskDefinitionFamiliesOutput](t)(p.NextPage(t.Context())).Families {
			found["definition "+family] = "there"
		}
	}
}

func (w *writers) lookAtTasks(t *testing.T, found map[string]string) {
	t.Helper()
	for arns := range slices.Chunk(w.known("task"), 100) {
		for _, task := range must[*ecs.DescribeTasksOutput](t)(w.c.ecs.DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Tasks: arns})).Tasks {
			found["task "+*task.TaskArn] = map[string]string{"RUNNING": "there", "STOPPED": "stopped"}[*task.DesiredStatus]
		}
	}
}

func (w *writers) lookAtTargetGroups(t *testing.T, found map[string]string) {
	t.Helper()
	for p := elb.NewDescribeTargetGroupsPaginator(w.c.elb, &elb.DescribeTargetGroupsInput{}); p.HasMorePages(); {
		for _, tg := range must[*elb.DescribeTargetGroupsOutput](t)(p.NextPage(t.Context())).TargetGroups {
			if strings.HasPrefix(*tg.TargetGroupName, "tg") {
				found["target group "+*tg.TargetGroupName] = "there"
			}
		}
	}
}

func (w *writers) lookAtAlarms(t *testing.T, found map[string]string) {
	t.Helper()
	for _, a := range must[*cloudwatch.DescribeAlarmsOutput](t)(w.c.metrics.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{})).MetricAlarms {
		found["alarm "+*a.AlarmName] = fmt.Sprint(*a.Threshold)
	}
}

func (w *writers) lookAtRoles(t *testing.T, found map[string]string) {
	t.Helper()
	for p := iam.NewListRolesPaginator(w.iam, &iam.ListRolesInput{}); p.HasMorePages(); {
		for _, role := range must[*iam.ListRolesOutput](t)(p.NextPage(t.Context())).Roles {
			if strings.HasPrefix(*role.RoleName, "r") {
				found["role "+*role.RoleName] = "there"
			}
		}
	}
}

func (w *writers) lookAtTags(t *testing.T, found map[string]string) {
	t.Helper()
	out := must[*ecs.ListTagsForResourceOutput](t)(w.c.ecs.ListTagsForResource(t.Context(), &ecs.ListTagsForResourceInput{ResourceArn: aws.String(killCluster)}))
	for _, tag := range out.Tags {
		found["tag "+*tag.Key] = *tag.Value
	}
}

func (w *writers) lookAtLogs(t *testing.T, found map[string]string) {
	t.Helper()
	var token *string
	for {
		out := must[*cloudwatchlogs.GetLogEventsOutput](t)(w.c.logs.GetLogEvents(t.Context(), &cloudwatchlogs.GetLogEventsInput{
			LogGroupName: aws.String(killLogs), LogStreamName: aws.String("s"), StartFromHead: aws.Bool(true), NextToken: token,
		}))
		for _, e := range out.Events {
			name := "log event " + *e.Message
			found[name] = map[bool]string{false: "once", true: "twice"}[found[name] != ""]
		}
		if token != nil && *token == *out.NextForwardToken {
			return
		}
		token = out.NextForwardToken
	}
}

func (w *writers) lookAtImages(t *testing.T, found map[string]string) {
	t.Helper()
	for p := ecr.NewDescribeImagesPaginator(w.c.ecr, &ecr.DescribeImagesInput{RepositoryName: aws.String("app")}); p.HasMorePages(); {
		for _, image := range must[*ecr.DescribeImagesOutput](t)(p.NextPage(t.Context())).ImageDetails {
			for _, tag := range image.ImageTags {
				if tag != "latest" {
					found["image "+tag] = *image.ImageDigest
				}
			}
		}
	}
}

// checkMetric wants every datapoint that was acknowledged to count, once.
func (w *writers) checkMetric(t *testing.T) {
	t.Helper()
	now := time.Now()
	out := must[*cloudwatch.GetMetricStatisticsOutput](t)(w.c.metrics.GetMetricStatistics(t.Context(), &cloudwatch.GetMetricStatisticsInput{
		Namespace: aws.String(killNamespace), MetricName: aws.String("n"), Period: aws.Int32(60), Statistics: []cw.Statistic{cw.StatisticSum},
		StartTime: aws.Time(now.Add(-20 * time.Hour)), EndTime: aws.Time(now.Add(time.Hour)),
	}))
	sum := 0.0
	for _, p := range out.Datapoints {
		sum += *p.Sum
	}
	w.metrics.mu.Lock()
	defer w.metrics.mu.Unlock()
	if sum < w.metrics.acked || sum > w.metrics.sent {
		t.Errorf("%v datapoints, want from %v acknowledged to %v sent", sum, w.metrics.acked, w.metrics.sent)
	}
	w.metrics.lost += w.metrics.sent - sum
	w.metrics.acked, w.metrics.sent = sum, sum
}

// settled reports what does not yet run as it should.
func (w *writers) settled() error {
	for _, s := range append(w.activeServices(w.c.t), w.c.describe("web")) {
		if s.RunningCount != s.DesiredCount || s.PendingCount != 0 {
			return fmt.Errorf("%s: %d of %d run, %d pending", *s.ServiceName, s.RunningCount, s.DesiredCount, s.PendingCount)
		}
	}
	return nil
}

// stopStrays stops the tasks of RunTask calls whose answers were lost, or whose
// StopTask was: they would fill the machine.
func (w *writers) stopStrays(t *testing.T) {
	t.Helper()
	for arns := range slices.Chunk(w.running(t.Context()), 100) {
		for _, task := range must[*ecs.DescribeTasksOutput](t)(w.c.ecs.DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Tasks: arns})).Tasks {
			if strings.HasPrefix(*task.Group, "family:") {
				must[*ecs.StopTaskOutput](t)(w.c.ecs.StopTask(t.Context(), &ecs.StopTaskInput{Task: task.TaskArn}))
				w.wrote("task", *task.TaskArn, "stopped")
			}
		}
	}
}

// removeAll ends what the writers have running.
func (w *writers) removeAll() {
	ctx := context.WithoutCancel(w.c.t.Context())
	for _, name := range w.known("service") {
		_, _ = w.c.ecs.DeleteService(ctx, &ecs.DeleteServiceInput{Service: &name, Force: aws.Bool(true)}) // some are gone
	}
	for _, arn := range w.running(ctx) {
		_, _ = w.c.ecs.StopTask(ctx, &ecs.StopTaskInput{Task: &arn}) // some end with their services
	}
}

func (w *writers) running(ctx context.Context) []string {
	var all []string
	for p := ecs.NewListTasksPaginator(w.c.ecs, &ecs.ListTasksInput{}); p.HasMorePages(); {
		all = append(all, must[*ecs.ListTasksOutput](w.c.t)(p.NextPage(ctx)).TaskArns...)
	}
	return all
}

// processes returns the process IDs of the tasks' supervisors and of what they
// started, by task.
func processes(t *testing.T, s *server) map[string]string {
	t.Helper()
	pids := map[string]string{}
	fields := words(`pgrep -fa "[t]ask-supervisor $1" | while read pid _ _ _ task _; do
		echo $task; (echo $pid; pgrep -P $pid) | sort -n | paste -sd,
	done`, instanceOf(t, s.cmd.Process.Pid), s.data)
	for i := 1; i < len(fields); i += 2 {
		pids[fields[i-1]] = fields[i]
	}
	return pids
}

// orphans reports what on the machine belongs to no running task, or what a
// running task lacks.
func orphans(t *testing.T, c *client, s *server, targetGroup string) error {
	t.Helper()
	instance := instanceOf(t, s.cmd.Process.Pid)
	want := map[string]bool{}
	addresses := map[string]bool{}
	for p := ecs.NewListTasksPaginator(c.ecs, &ecs.ListTasksInput{}); p.HasMorePages(); {
		for _, arn := range must[*ecs.ListTasksOutput](t)(p.NextPage(t.Context())).TaskArns {
			want[arn[strings.LastIndexByte(arn, '/')+1:]] = true
		}
	}
	for what, sh := range map[string]string{
		"supervisors":      `pgrep -fa "[t]ask-supervisor $1" | awk '{print $5}'`,
		"control groups":   `find /sys/fs/cgroup -path "*neargate/$1/*" -type d | grep -oE '[0-9a-f]{32}' | sort -u`,
		"task directories": `ls "$2/runtime/tasks"`,
	} {
		have := map[string]bool{}
		for _, word := range words(sh, instance, s.data) {
			have[word] = true
		}
		if !maps.Equal(have, want) {
			return fmt.Errorf("%s of %v, want those of %v", what, slices.Sorted(maps.Keys(have)), slices.Sorted(maps.Keys(want)))
		}
	}
	if links := words(`ip -br link | grep -c "^ng-$1-" || true`, instance, ""); len(links) != 1 || links[0] != fmt.Sprint(len(want)) {
		return fmt.Errorf("%v links for %d tasks", links, len(want))
	}
	if mounts := words(`grep -F "$2/" /proc/mounts || true`, instance, s.data); len(mounts) > 0 {
		return fmt.Errorf("mounts: %v", mounts)
	}
	for _, task := range c.tasks("web", ecstypes.DesiredStatusRunning) {
		addresses[addressOf(task)] = true
	}
	if err := passes(instance, slices.Collect(maps.Keys(addresses))); err != nil {
		return err
	}
	health := must[*elb.DescribeTargetHealthOutput](t)(c.elb.DescribeTargetHealth(t.Context(), &elb.DescribeTargetHealthInput{TargetGroupArn: &targetGroup}))
	for _, target := range health.TargetHealthDescriptions {
		if !addresses[*target.Target.Id] || target.TargetHealth.State != "healthy" {
			return fmt.Errorf("target %s is %s; tasks have %v", *target.Target.Id, target.TargetHealth.State, addresses)
		}
	}
	if len(health.TargetHealthDescriptions) != len(addresses) {
		return errors.New("a task is no target")
	}
	return nil
}

// passes wants the instance's packet filter to know the addresses: each by its link,
// and all in one class, as their tasks have the same security groups. Those of
// tasks that have gone may stay in it.
func passes(instance string, addresses []string) error {
	nft, err := exec.LookPath("nft")
	if err != nil {
		return nil //nolint:nilerr // the connections of the test show the same, but later
	}
	out, err := exec.Command(nft, "--json", "list", "table", "inet", "neargate-"+instance).Output()
	if err != nil {
		return fmt.Errorf("list the packet filter: %w", err)
	}
	var table struct {
		Nftables []struct {
			Set struct {
				Name string
				Elem []any // an address, or {"concat": [LINK, ADDRESS]}
			}
		}
	}
	if err := json.Unmarshal(out, &table); err != nil {
		return fmt.Errorf("read the packet filter: %w", err)
	}
	sets := map[string][]string{} // the names of the sets with all their elements of one address
	for _, entry := range table.Nftables {
		for _, elem := range entry.Set.Elem {
			if pair, ok := elem.(map[string]any); ok {
				parts, _ := pair["concat"].([]any)
				elem = parts[len(parts)-1]
			}
			if address, ok := elem.(string); ok {
				sets[address] = append(sets[address], entry.Set.Name)
			}
		}
	}
	for _, a := range addresses {
		slices.Sort(sets[a])
		if in := sets[a]; len(in) != 2 || !strings.HasPrefix(in[0], "class-") || in[1] != "links" || in[0] != sets[addresses[0]][0] {
			return fmt.Errorf("%s is in %v of the packet filter, want links and the class of %v", a, in, sets[addresses[0]])
		}
	}
	return nil
}

// words runs a line of shell with the instance as $1 and the data directory as
// $2, and returns the words that it prints.
func words(sh, instance, data string) []string {
	out, _ := exec.Command("sh", "-c", sh, "sh", instance, data).Output() // grep answers 1 when there is nothing
	return strings.Fields(string(out))
}

// addressOf returns the address of a task.
func addressOf(task ecstypes.Task) string {
	for _, a := range task.Attachments {
		for _, d := range a.Details {
			if aws.ToString(d.Name) == "privateIPv4Address" {
				return aws.ToString(d.Value)
			}
		}
	}
	return ""
}
