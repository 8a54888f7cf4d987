package simulate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"

	"neargate/internal/aws/applicationautoscaling"
)

// scheduledItem reads a scheduled action, which is put when the run begins.
func (f *policyFile) scheduledItem(text, item []byte) error {
	var in struct {
		sdk.PutScheduledActionInput
		StartTime, EndTime *moment // instead of those that want a time zone
	}
	if err := decode(text, item, &in); err != nil {
		return err
	}
	put := in.PutScheduledActionInput
	put.StartTime, put.EndTime = (*time.Time)(in.StartTime), (*time.Time)(in.EndTime)
	ofService(&put.ServiceNamespace, &put.ResourceId, &put.ScalableDimension)
	e, err := applicationautoscaling.ScheduledAction(&put, f.begin)
	if err != nil {
		if _, other := applicationautoscaling.ScheduledAction(&put, time.Unix(0, 0)); other == nil {
			return &PutError{f.begin, err}
		}
		return err
	}
	for _, other := range f.scheduled {
		if other.Action.Name == e.Action.Name {
			return fmt.Errorf("two scheduled actions are named %s; one would replace the other", e.Action.Name)
		}
	}
	f.scheduled = append(f.scheduled, e)
	return nil
}

// PutError is the refusal of a scheduled action that would have been taken at
// another time.
type PutError struct {
	At time.Time
	error
}

func (e *PutError) Unwrap() error { return e.error }

// moment is a time as the AWS CLI takes it: seconds since the epoch, or a date
// with or without time and zone; without it is UTC.
type moment time.Time

// UnmarshalJSON is a json.Unmarshaler's.
func (m *moment) UnmarshalJSON(b []byte) error {
	var seconds float64
	if json.Unmarshal(b, &seconds) == nil && !bytes.Equal(b, []byte("null")) {
		*m = moment(time.UnixMilli(int64(seconds * 1000)).UTC())
		return nil
	}
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("time %s is neither a text nor a number of seconds", b)
	}
	t, err := readMoment(s)
	*m = moment(t)
	return err
}

// readMoment reads a date.
func readMoment(s string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateTime, "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("time %q: want a date such as 2026-03-02T09:00:00Z", s)
}

// instant is a time as the report tells it.
func instant(t time.Time) string { return t.Format("2006-01-02 15:04:05 MST") }
