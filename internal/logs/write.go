package logs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"neargate/internal/model"
)

// Limits of PutLogEvents: API_PutLogEvents.
const (
	maxBatchBytes   = 1_048_576 // messages and perEventBytes for each
	perEventBytes   = 26
	maxBatchEvents  = 10_000
	maxEventBytes   = maxBatchBytes - perEventBytes // of a message
	maxBatchSpan    = 24 * time.Hour
	maxAhead        = 2 * time.Hour
	maxBehind       = 14 * 24 * time.Hour
	retentionDayFor = 24 * time.Hour
)

// Append adds lines to a stream, which it makes if need be; the group must be
// there. Empty lines are left out and very long ones cut into several events,
// as the awslogs driver does. Code: ResourceNotFoundException.
func (l *Logs) Append(ctx context.Context, group, stream string, lines []model.LogLine) error {
	now := l.now().UnixMilli()
	var events []event
	for _, line := range lines {
		for rest := line.Message; rest != ""; {
			n := min(len(rest), maxEventBytes)
			events = append(events, event{position: position{ms: line.At.UnixMilli()}, ingested: now, message: rest[:n]})
			rest = rest[n:]
		}
	}
	if len(events) == 0 {
		return nil
	}
	if _, ok := l.streams.Get(group + ":" + stream); !ok {
		if err := l.CreateStream(ctx, group, stream); err != nil && model.KindOf(err) != model.Conflict {
			return err
		}
	}
	return l.write(group, stream, events)
}

func (l *Logs) write(group, stream string, events []event) error {
	s, err := l.stream(group, stream)
	if err != nil {
		return err
	}
	j, err := l.journal(s)
	if err == nil {
		err = j.append(events, l.cfg.MaxStreamBytes)
	}
	if errors.Is(err, errGone) {
		return noStream()
	}
	if err != nil {
		return fmt.Errorf("write log stream %s of %s: %w", stream, group, err)
	}
	return nil
}

// Rejected says which events of a batch were not taken: those before
// TooOldEnd and ExpiredEnd, and those from TooNewStart on. -1: none.
type Rejected struct {
	TooNewStart, TooOldEnd, ExpiredEnd int
}

// Put adds a batch of events to a stream that is there; the lines keep their
// own times. Codes: InvalidParameterException, ResourceNotFoundException.
func (l *Logs) Put(group, stream string, lines []model.LogLine) (Rejected, error) {
	rejected := Rejected{-1, -1, -1}
	s, err := l.stream(group, stream)
	if err != nil {
		return rejected, err
	}
	if err := checkBatch(lines); err != nil {
		return rejected, err
	}
	g, err := l.Group(s.Group)
	if err != nil {
		return rejected, err
	}
	now := l.now()
	var events []event
	for i, line := range lines {
		expired := g.RetentionDays > 0 && now.Sub(line.At) > time.Duration(g.RetentionDays)*retentionDayFor
		switch age := now.Sub(line.At); {
		case age > maxBehind:
			rejected.TooOldEnd = i + 1
		case expired:
			rejected.ExpiredEnd = i + 1
		case age < -maxAhead:
			if rejected.TooNewStart < 0 {
				rejected.TooNewStart = i
			}
		default:
			events = append(events, event{position: position{ms: line.At.UnixMilli()}, ingested: now.UnixMilli(), message: line.Message})
		}
	}
	if len(events) == 0 {
		return rejected, nil
	}
	return rejected, l.write(group, stream, events)
}

// checkBatch refuses a batch whole, in the words of CloudWatch Logs.
func checkBatch(lines []model.LogLine) error {
	if len(lines) < 1 || len(lines) > maxBatchEvents {
		return invalid("1 validation error detected: Value at 'logEvents' failed to satisfy constraint: Member must have length between 1 and %d", maxBatchEvents)
	}
	size := 0
	for i, line := range lines {
		if line.Message == "" {
			return invalid("1 validation error detected: Value at 'logEvents.%d.member.message' failed to satisfy constraint: Member must have length greater than or equal to 1", i+1)
		}
		if line.At.UnixMilli() < 0 {
			return invalid("1 validation error detected: Value at 'logEvents.%d.member.timestamp' failed to satisfy constraint: Member must have value greater than or equal to 0", i+1)
		}
		if i > 0 && line.At.Before(lines[i-1].At) {
			return invalid("Log events in a single PutLogEvents request must be in chronological order.")
		}
		size += len(line.Message) + perEventBytes
	}
	if size > maxBatchBytes {
		return invalid("Upload too large: %d bytes exceeds limit of %d", size, maxBatchBytes)
	}
	if lines[len(lines)-1].At.Sub(lines[0].At) > maxBatchSpan {
		return invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
	}
	return nil
}
