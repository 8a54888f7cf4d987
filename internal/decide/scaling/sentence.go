package scaling

import (
	"fmt"
	"math"
	"strconv"
	"time"
)

// String returns the reason as one sentence whose numbers add up: the load it
// names, over the target's part of a task, rounded up, is the count it names.
func (r Reason) String() string {
	s := r.sentence()
	if r.Bounded != "" {
		s += fmt.Sprintf(", held to %s %d", r.Bounded, r.Held)
	}
	if r.PerTask > 0 {
		s += fmt.Sprintf("; beyond %d in flight at a task, requests wait at the balancer", r.PerTask)
	}
	return s
}

func (r Reason) sentence() string {
	switch r.Kind {
	case NoPolicy:
		return "no scaling policy"
	case NoData:
		return "no data: held at " + strconv.Itoa(r.Current)
	case ToBound:
		return fmt.Sprintf("desired count %d is outside the bounds", r.Current)
	case Steady:
		return r.fitting()
	case First, Idle, Asleep, LastTask, Working, Unasked:
		return r.lastly()
	case Quiet:
		return fmt.Sprintf("no alarm asks for another count than %d", r.Need)
	default:
		return r.need() + r.but()
	}
}

// but says what keeps the need from being followed.
func (r Reason) but() string {
	switch r.Kind {
	case TooNew:
		return fmt.Sprintf(", but the data reach back too short to lower %d: %s to go", r.Current, seconds(r.Left))
	case Settling:
		return ", but the load has fallen only a moment ago"
	case Small:
		return fmt.Sprintf(", but the load is not known well enough yet to take %d from %d", r.Current-r.Need, r.Current)
	case UnderWay:
		return ", but the last order is still under way"
	case Busy:
		return fmt.Sprintf(", but %d requests wait on busy tasks", r.Waiting)
	case NearTarget:
		return fmt.Sprintf(", but an average of %s %% is too close to the target to move %d", number(r.Average, 0), r.Current)
	case Near:
		return fmt.Sprintf(", but it is too close to the target to move %d", r.Current)
	case Unsure:
		return ", but it has not been above the target for long enough"
	case Late:
		return ", but its next datapoint is late"
	case Acted:
		return ", but this datapoint has been acted upon"
	case Resting:
		return ", but the alarm's action runs once a minute"
	case Cooldown:
		return fmt.Sprintf(", but the scale-in cooldown has %s to go", seconds(r.Left))
	case Deployment:
		return ", but scale-in is off while a deployment is in progress"
	case Suspended:
		return ", but scaling in this direction is suspended"
	case InDisabled:
		return ", but the policy's scale-in is disabled"
	default:
		return ""
	}
}

// need names the load and the count it needs, and the peak of the window where
// that needs more.
func (r Reason) need() string {
	switch {
	case r.Forecast.Tasks > 0:
		return r.Forecast.sentence()
	case r.Step.Alarm != "":
		return r.Step.sentence(r.Need)
	case r.Share > 0:
		return r.saturated()
	case r.Metric == "":
		return fmt.Sprintf("metric at %s of %s with target %s needs %d", r.amount(r.Size), r.tasks(), exact(r.Target), r.Size.Need)
	case r.Peak.Need > r.Size.Need:
		return fmt.Sprintf("%s needs %d, but the last %s needed up to %d (%s %s)", r.load(), r.Size.Need,
			seconds(r.Window), r.Peak.Need, r.loadOf(r.Peak), r.target())
	}
	return fmt.Sprintf("%s %s needs %d", r.load(), r.target(), r.Size.Need) + r.answers(r.Size)
}

// tasks says which tasks an alarm's datapoint is multiplied with.
func (r Reason) tasks() string {
	s := plural(r.Tasks)
	if r.Before {
		s += " (before the scale-out whose cooldown lasts)"
	}
	return s
}

func plural(tasks int) string {
	if tasks == 1 {
		return "1 task"
	}
	return strconv.Itoa(tasks) + " tasks"
}

// answers says, for an SLO, what the count leads to, and one less would.
func (r Reason) answers(s Size) string {
	if s.Answer == 0 {
		return ""
	}
	text := fmt.Sprintf(": on %d p%s is %s", s.Need, number(r.Strict, 2), answer(s.Answer))
	if s.Need > 1 {
		text += fmt.Sprintf(", on %d %s", s.Need-1, answer(s.Fewer))
	}
	return text
}

// answer prints a response time.
func answer(seconds float64) string {
	if math.IsInf(seconds, 1) {
		return "without end"
	}
	return "about " + number(seconds, 0) + " s"
}

// fitting names the interval that the load is in, and that the count is in it.
func (r Reason) fitting() string {
	s := fmt.Sprintf("%s (surely %s to %s) %s needs %d", r.load(), r.amount(r.Least), r.amount(r.Most), r.target(), r.Least.Need)
	if r.Least.Need < r.Most.Need {
		s += fmt.Sprintf(" to %d: %d fits", r.Most.Need, r.Need)
	}
	return s + r.answers(r.Size)
}

func (r Reason) saturated() string {
	of := " used"
	if r.Backlog > 0 {
		of = fmt.Sprintf(", %s of it to work them off in %s,", number(r.Backlog, 0), seconds(r.Drain))
	}
	return fmt.Sprintf("%d requests wait on busy tasks: %s vCPU%s at %s %% of %s needs %d",
		r.Waiting, r.amount(r.Size), of, exact(r.Share), exact(r.Unit), r.Size.Need)
}

// load says what the load is taken for.
func (r Reason) load() string {
	s := r.loadOf(r.Size)
	likely := number(r.Estimate*r.scale(), 0)
	switch r.Basis {
	case UpTo:
		s = fmt.Sprintf("up to %s (likely %s)", s, likely)
	case Rising:
		s = fmt.Sprintf("%s rising to %s", likely, s)
	case AtLeast:
		s = "at least " + s
	case AtMost:
		s = fmt.Sprintf("at most %s (likely %s)", s, likely)
	case Measured:
	}
	switch r.Metric {
	case Memory:
		return "memory to fill " + s
	case Customized:
		return fmt.Sprintf("metric at %s, %s over all tasks,", number(r.Value, 1), s)
	case CPU, RequestsPerTarget, ResponseTime:
	}
	return "offered " + s
}

// loadOf is a load with its unit.
func (r Reason) loadOf(s Size) string {
	switch r.Metric {
	case CPU, ResponseTime:
		return r.amount(s) + " vCPU"
	case RequestsPerTarget:
		return r.amount(s) + " requests a minute"
	case Customized:
		return r.amount(s)
	default:
		return r.amount(s) + " tasks"
	}
}

// target is what the load is held against.
func (r Reason) target() string {
	switch r.Metric {
	case CPU:
		return fmt.Sprintf("at target %s %% of %s", exact(r.Target), exact(r.Unit))
	case RequestsPerTarget:
		return fmt.Sprintf("at target %s per task", exact(r.Target))
	case ResponseTime:
		return fmt.Sprintf("for p%s within %s s", exact(r.Within), exact(r.Target))
	case Customized:
		return "at target " + exact(r.Target) + " a task"
	default:
		return fmt.Sprintf("at target %s %%", exact(r.Target))
	}
}

// scale is what a load is printed times: requests are named by the minute.
func (r Reason) scale() float64 {
	if r.Metric == RequestsPerTarget {
		return 60
	}
	return 1
}

// amount prints a load with so many digits that what is printed needs the same
// count.
func (r Reason) amount(s Size) string {
	if s.Answer > 0 {
		return number(s.Load*r.scale(), 0)
	}
	text := ""
	for digits := range 8 {
		text = number(s.Load*r.scale(), digits)
		x, err := strconv.ParseFloat(text, 64)
		if err == nil && ceil(x/r.scale()/r.perTask()) == s.Need {
			break
		}
	}
	return text
}

// number prints at most three significant digits, and extra more: 0.25, 4.1,
// 62.5, 1234.
func number(x float64, extra int) string {
	digits := 2
	switch {
	case math.Abs(x) >= 100:
		digits = 0
	case math.Abs(x) >= 1:
		digits = 1
	}
	scale := math.Pow10(digits + extra)
	return strconv.FormatFloat(math.Round(x*scale)/scale, 'f', -1, 64)
}

// seconds prints a span of time, rounded up.
func seconds(d time.Duration) string {
	return strconv.Itoa(int(math.Ceil(d.Seconds()))) + " s"
}

// exact prints what somebody has set.
func exact(x float64) string {
	return strconv.FormatFloat(math.Round(x*1e6)/1e6, 'f', -1, 64)
}
