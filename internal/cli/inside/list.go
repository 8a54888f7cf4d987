package inside

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// PrintTasks prints tasks as a table: those that run, and then those that ended,
// each with its reason.
func PrintTasks(out io.Writer, tasks []types.Task, now time.Time) error {
	tasks = slices.Clone(tasks)
	slices.SortStableFunc(tasks, func(a, b types.Task) int { return place(a) - place(b) })
	var table bytes.Buffer
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TASK\tSERVICE\tSTATUS\tHEALTH\tADDRESS\tAGE\tIMAGE\tREASON")
	for _, t := range tasks {
		row := []string{
			Short(t), orDash(service(t)), aws.ToString(t.LastStatus), orDash(health(t)), orDash(address(t)), age(t, now), images(t), reason(t),
		}
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(table.String()) {
		if _, err := fmt.Fprintln(out, strings.TrimRight(line, " \n")); err != nil {
			return err
		}
	}
	return nil
}

// place is where a task stands in the table.
func place(t types.Task) int {
	if aws.ToString(t.LastStatus) == "STOPPED" {
		return 1
	}
	return 0
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func health(t types.Task) string {
	if t.HealthStatus == types.HealthStatusUnknown || aws.ToString(t.LastStatus) == "STOPPED" {
		return ""
	}
	return string(t.HealthStatus)
}

func address(t types.Task) string {
	if aws.ToString(t.LastStatus) == "STOPPED" {
		return ""
	}
	for _, c := range t.Containers {
		if len(c.NetworkInterfaces) > 0 {
			return aws.ToString(c.NetworkInterfaces[0].PrivateIpv4Address)
		}
	}
	return ""
}

// age is how long a task has run, or how long ago it ended.
func age(t types.Task, now time.Time) string {
	since := aws.ToTime(t.StartedAt)
	if since.IsZero() {
		since = aws.ToTime(t.CreatedAt)
	}
	suffix := ""
	if t.StoppedAt != nil {
		since, suffix = *t.StoppedAt, " ago"
	}
	return span(now.Sub(since)) + suffix
}

// span is a duration in its largest unit.
func span(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%dd", int(d.Hours()/24))
	case d >= 2*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	case d >= 2*time.Minute:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	}
	return fmt.Sprintf("%ds", max(0, int(d.Seconds())))
}

// images are those of the containers, without where they come from.
func images(t types.Task) string {
	var all []string
	for _, c := range t.Containers {
		image := aws.ToString(c.Image)
		if host, rest, ok := strings.Cut(image, "/"); ok && strings.ContainsAny(host, ".:") {
			image = rest
		}
		image, _, _ = strings.Cut(image, "@sha256:")
		if !slices.Contains(all, image) {
			all = append(all, image)
		}
	}
	return orDash(strings.Join(all, ","))
}

// reason is why a task stopped, with the containers that ended by a fault.
func reason(t types.Task) string {
	var text strings.Builder
	text.WriteString(aws.ToString(t.StoppedReason))
	for _, c := range t.Containers {
		if c.ExitCode == nil || *c.ExitCode == 0 && c.Reason == nil {
			continue
		}
		fmt.Fprintf(&text, " [%s: exit code %d", aws.ToString(c.Name), *c.ExitCode)
		if c.Reason != nil {
			text.WriteString(", " + *c.Reason)
		}
		text.WriteByte(']')
	}
	return strings.TrimSpace(text.String())
}
