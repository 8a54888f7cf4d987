package logfile

import (
	"regexp"
	"time"

	"neargate/internal/model"
)

// An event of several lines is whole when nothing was added to it for quietEvent,
// or when it began longestEvent ago. The latter is Docker's bound.
const (
	quietEvent   = time.Second
	longestEvent = 5 * time.Second
)

// Gather makes one event of the lines from each that matches begins up to the
// next. As with Docker's driver for awslogs an event has the time of its first
// line, each of its lines ends with a newline, and one that would grow beyond
// what CloudWatch Logs takes ends before. taken is how many of the lines are in
// the events: the last event may not be whole at now. It is in any case when
// there will be no more lines, or when the lines are as many as a reader returns
// at once.
func Gather(lines []model.LogLine, begins *regexp.Regexp, now time.Time, ended bool) (events []model.LogLine, taken int) {
	var text []byte
	first, size := 0, 0
	flush := func(next int) {
		if next > first {
			events = append(events, model.LogLine{At: lines[first].At, Message: string(text), Stderr: lines[first].Stderr})
		}
		text, first = text[:0], next
	}
	for i, l := range lines {
		if IsLoss(l.Message) {
			flush(i)
			events = append(events, l)
			first = i + 1
			continue
		}
		if begins.MatchString(l.Message) || len(text)+len(l.Message) >= lineLimit {
			flush(i)
		}
		text = append(append(text, l.Message...), '\n')
		size += len(l.Message) + recordBytes
	}
	if first == len(lines) {
		return events, first
	}
	whole := ended || size >= readBytes-lineLimit-2*recordBytes ||
		now.Sub(lines[len(lines)-1].At) >= quietEvent || now.Sub(lines[first].At) >= longestEvent
	if whole {
		flush(len(lines))
	}
	return events, first
}

// recordBytes is about what a record has beside its line.
const recordBytes = 21
