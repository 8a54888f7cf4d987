package inside

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"neargate/internal/model"
)

// LogRequest is which lines to print, and how.
type LogRequest struct {
	Target    string // a service, or a task
	Container string // "": all
	Since     time.Duration
	Filter    string // a pattern of CloudWatch Logs; "": all lines
	Follow    bool
	Times     bool // print when each line was written
}

// lateBy is how much later than others of its time a line may come.
const lateBy = 10 * time.Second

// source is where the containers of one name print to.
type source struct{ group, prefix, container string }

// line is one line of a container.
type line struct {
	logtypes.FilteredLogEvent
	task, container string
}

// follower reads the lines of tasks in turns.
type follower struct {
	*Cluster
	LogRequest
	tasks       []types.Task
	one         bool                        // it is one task that was asked for
	definitions map[string][]source         // by task definition
	from        int64                       // when the oldest lines wanted were written, ms
	seen        map[string]struct{}         // lines printed that may come again
	recent      []logtypes.FilteredLogEvent // the same, the oldest first
	printed     int
}

// PrintLogs prints what the tasks of a service print, or one task, in the order
// of time, until it has printed all; with Follow, until ctx or the task ends. It
// returns how many lines that were.
func (c *Cluster) PrintLogs(ctx context.Context, r LogRequest, out io.Writer) (int, error) {
	f := &follower{
		Cluster: c, LogRequest: r, definitions: map[string][]source{}, seen: map[string]struct{}{},
		from: time.Now().Add(-r.Since).UnixMilli(),
	}
	tick := time.NewTicker(c.poll)
	defer tick.Stop()
	for {
		ended, err := f.turn(ctx, out)
		if err != nil || !r.Follow || ended {
			return f.printed, err
		}
		select {
		case <-ctx.Done():
			return f.printed, context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// turn prints what has come. ended reports that nothing more will.
func (f *follower) turn(ctx context.Context, out io.Writer) (ended bool, err error) {
	if f.tasks, f.one, err = f.Find(ctx, f.Target); err != nil {
		return false, err
	}
	sources, err := f.sources(ctx)
	if err != nil {
		return false, err
	}
	var lines []line
	for _, s := range sources {
		more, err := f.read(ctx, s)
		if err != nil {
			return false, err
		}
		lines = append(lines, more...)
	}
	slices.SortStableFunc(lines, func(a, b line) int {
		return cmp.Or(cmp.Compare(*a.Timestamp, *b.Timestamp), cmp.Compare(*a.IngestionTime, *b.IngestionTime))
	})
	for _, l := range lines {
		if err := f.print(out, l, len(sources) > 1); err != nil {
			return false, err
		}
	}
	f.forget()
	return f.one && aws.ToString(f.tasks[0].LastStatus) == "STOPPED", nil
}

// sources are where the tasks print to.
func (f *follower) sources(ctx context.Context) ([]source, error) {
	var all []source
	for _, t := range f.tasks {
		def := aws.ToString(t.TaskDefinitionArn)
		if _, known := f.definitions[def]; !known {
			of, err := f.sourcesOf(ctx, def)
			if err != nil {
				return nil, err
			}
			f.definitions[def] = of
		}
		for _, s := range f.definitions[def] {
			if !slices.Contains(all, s) {
				all = append(all, s)
			}
		}
	}
	if len(all) == 0 && len(f.tasks) > 0 {
		return nil, &Trouble{"the containers of " + f.Target + " keep no logs", "give them a logConfiguration with the driver awslogs or json-file"}
	}
	return all, nil
}

func (f *follower) sourcesOf(ctx context.Context, definition string) ([]source, error) {
	out, err := f.ECS.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: &definition})
	if err != nil {
		return nil, f.explain(err)
	}
	var all []source
	var names []string
	for _, c := range out.TaskDefinition.ContainerDefinitions {
		name := aws.ToString(c.Name)
		names = append(names, name)
		if f.Container != "" && f.Container != name {
			continue
		}
		if l := c.LogConfiguration; l != nil {
			if group, prefix, ok := (model.LogConfig{Driver: string(l.LogDriver), Options: l.Options}).Stream(name, ""); ok {
				all = append(all, source{group, prefix, name})
			}
		}
	}
	if f.Container != "" && !slices.Contains(names, f.Container) {
		return nil, &Trouble{fmt.Sprintf("%s has no container %s", f.Target, f.Container), "--container names one of " + strings.Join(names, ", ")}
	}
	return all, nil
}

// maxStreams is how many streams FilterLogEvents takes by name.
const maxStreams = 100

// read returns the lines of a source that have not been printed. It names the
// streams of the tasks: others of the prefix may hold far more lines.
func (f *follower) read(ctx context.Context, s source) ([]line, error) {
	var streams []string
	for _, t := range f.tasks {
		if slices.Contains(f.definitions[aws.ToString(t.TaskDefinitionArn)], s) {
			streams = append(streams, s.prefix+id(t))
		}
	}
	slices.Sort(streams)
	streams = slices.Compact(streams) // a task that stops while they are listed is there twice
	var lines []line
	for some := range slices.Chunk(streams, maxStreams) {
		events, err := f.events(ctx, s.group, some)
		if err != nil {
			return nil, err
		}
		for _, e := range events {
			if _, seen := f.seen[aws.ToString(e.EventId)]; !seen {
				task := strings.TrimPrefix(aws.ToString(e.LogStreamName), s.prefix)
				lines = append(lines, line{e, task[:min(8, len(task))], s.container})
			}
		}
	}
	return lines, nil
}

// events returns the events of those streams that are there. One that is not,
// since its task has not printed yet, fails the call for all: halves of them are
// asked for then.
func (f *follower) events(ctx context.Context, group string, streams []string) ([]logtypes.FilteredLogEvent, error) {
	in := &cloudwatchlogs.FilterLogEventsInput{LogGroupName: &group, LogStreamNames: streams, StartTime: &f.from}
	if f.Filter != "" {
		in.FilterPattern = &f.Filter
	}
	var all []logtypes.FilteredLogEvent
	for pages := cloudwatchlogs.NewFilterLogEventsPaginator(f.Logs, in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if _, missing := errors.AsType[*logtypes.ResourceNotFoundException](err); missing {
			return f.halves(ctx, group, streams)
		}
		if err != nil {
			return nil, f.explain(err)
		}
		all = append(all, page.Events...)
	}
	return all, nil
}

// halves returns the events of streams of which one at least is not there.
func (f *follower) halves(ctx context.Context, group string, streams []string) ([]logtypes.FilteredLogEvent, error) {
	if len(streams) == 1 {
		return nil, nil
	}
	middle := len(streams) / 2
	first, err := f.events(ctx, group, streams[:middle])
	if err != nil {
		return nil, err
	}
	second, err := f.events(ctx, group, streams[middle:])
	return append(first, second...), err
}

func (f *follower) print(out io.Writer, l line, several bool) error {
	f.seen[aws.ToString(l.EventId)] = struct{}{}
	f.recent = append(f.recent, l.FilteredLogEvent)
	f.printed++
	prefix := l.task + " "
	if several {
		prefix += l.container + " "
	}
	if f.Times {
		prefix = time.UnixMilli(*l.Timestamp).Local().Format("2006-01-02 15:04:05.000 ") + prefix
	}
	_, err := fmt.Fprintf(out, "%s%s\n", prefix, strings.TrimRight(aws.ToString(l.Message), "\r\n"))
	return err
}

// forget drops lines that cannot come again, and asks for none as old any more.
func (f *follower) forget() {
	if len(f.recent) == 0 {
		return
	}
	from := *f.recent[len(f.recent)-1].Timestamp - lateBy.Milliseconds()
	if from <= f.from {
		return
	}
	f.from = from
	f.recent = slices.DeleteFunc(f.recent, func(e logtypes.FilteredLogEvent) bool {
		old := *e.Timestamp < from
		if old {
			delete(f.seen, aws.ToString(e.EventId))
		}
		return old
	})
}
