package alarm

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// listed is how many datapoints a reason names; with that many or more they
// move to the end of the sentence.
const listed = 5

// reason writes why the alarm is in state, as CloudWatch writes it.
func (e evaluation) reason(state string) string {
	switch state {
	case Insufficient:
		return fmt.Sprintf("Insufficient Data: %s unknown.", count(e.n, "datapoint was", "datapoints were"))
	case Alarm:
		if e.a.MissingData == "breaching" && len(e.breaching) < e.m {
			return e.filledReason("Breaching")
		}
		return e.crossedReason(e.breaching, "", e.m, "OK -> ALARM")
	default:
		toOK := e.n - e.m + 1
		if len(e.fine) == 0 || e.a.MissingData == "notBreaching" && len(e.fine) < toOK {
			return e.filledReason("NonBreaching")
		}
		return e.crossedReason(e.fine, "not ", toOK, "ALARM -> OK")
	}
}

// filledReason is the reason when filled-in periods decided.
func (e evaluation) filledReason(as string) string {
	received := "no datapoints were"
	if n := len(e.real); n > 0 {
		received = count(n, "datapoint was", "datapoints were")
	}
	return fmt.Sprintf("Threshold Crossed: %s received for %s and %s treated as [%s].", received,
		count(e.n, "period", "periods"), count(e.fill, "missing datapoint was", "missing datapoints were"), as)
}

// crossedReason is the reason when the real datapoints decided. Alarms with
// DatapointsToAlarm also tell how many it takes.
func (e evaluation) crossedReason(points []Point, not string, least int, transition string) string {
	noun, verb := "datapoints", "were"
	if len(points) == 1 {
		noun, verb = "datapoint", "was"
	}
	number := strconv.Itoa(len(points)) + " "
	tail := ""
	if e.a.DatapointsToAlarm != 0 {
		number += fmt.Sprintf("out of the last %d ", e.n)
		noun = "datapoints"
		tail = fmt.Sprintf(" (minimum %s for %s transition)", count(least, "datapoint", "datapoints"), transition)
	}
	crossed := fmt.Sprintf("%s %s%s the threshold (%s)", verb, not, comparison(e.a.Comparison), double(e.a.Threshold))
	if len(points) < listed {
		return fmt.Sprintf("Threshold Crossed: %s%s %s %s%s.", number, noun, pointList(points), crossed, tail)
	}
	return fmt.Sprintf("Threshold Crossed: %s%s %s. The most recent datapoints which crossed the threshold: %s%s.",
		number, noun, crossed, pointList(points[:listed]), tail)
}

func pointList(points []Point) string {
	texts := make([]string, len(points))
	for i, p := range points {
		texts[i] = fmt.Sprintf("%s (%s)", double(p.Value), p.At.UTC().Format("02/01/06 15:04:05"))
	}
	return "[" + strings.Join(texts, ", ") + "]"
}

// comparison returns the words of a comparison operator.
func comparison(op string) string {
	switch op {
	case "GreaterThanThreshold":
		return "greater than"
	case "GreaterThanOrEqualToThreshold":
		return "greater than or equal to"
	case "LessThanThreshold":
		return "less than"
	default:
		return "less than or equal to"
	}
}

// count returns "1 one" or "n many".
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// reasonData is the StateReasonData document: recent datapoints oldest first,
// evaluated ones newest first.
func (e evaluation) reasonData(now time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, `{"version":"1.0","queryDate":"%s"`, stamp(now))
	if len(e.real) > 0 {
		fmt.Fprintf(&b, `,"startDate":"%s"`, stamp(e.real[len(e.real)-1].At))
	}
	if e.a.Unit != "" {
		fmt.Fprintf(&b, `,"unit":"%s"`, e.a.Unit)
	}
	recent := make([]string, len(e.real))
	for i, p := range e.real {
		recent[len(recent)-1-i] = double(p.Value)
	}
	if e.a.Statistic != "" { // not with metric math
		fmt.Fprintf(&b, `,"statistic":"%s"`, e.a.Statistic)
	}
	fmt.Fprintf(&b, `,"period":%d,"recentDatapoints":[%s],"threshold":%s,"evaluatedDatapoints":[`,
		int(e.a.Period.Seconds()), strings.Join(recent, ","), double(e.a.Threshold))
	evaluated := e.real
	if len(evaluated) == 0 {
		evaluated = e.last
	}
	for i, p := range evaluated {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"timestamp":"%s"`, stamp(p.At))
		if !p.Missing {
			if p.Samples > 0 {
				fmt.Fprintf(&b, `,"sampleCount":%s`, double(p.Samples))
			}
			fmt.Fprintf(&b, `,"value":%s`, double(p.Value))
		}
		b.WriteByte('}')
	}
	b.WriteString("]}")
	return b.String()
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000-0700") }

// double writes v as Java's Double.toString does, which CloudWatch's texts
// show: 50.0, 0.001, 1.0E7, 1.5E-4.
func double(v float64) string {
	if abs := math.Abs(v); v == 0 || abs >= 1e-3 && abs < 1e7 {
		s := strconv.FormatFloat(v, 'f', -1, 64)
		if !strings.Contains(s, ".") {
			s += ".0"
		}
		return s
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'E', -1, 64), "E")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	n, err := strconv.Atoi(exponent)
	if err != nil {
		return mantissa // ±Inf and NaN have no exponent
	}
	return mantissa + "E" + strconv.Itoa(n)
}
