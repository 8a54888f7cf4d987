package alarms

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"neargate/internal/model"
)

// The types of history items.
const (
	ConfigurationUpdate = "ConfigurationUpdate"
	StateUpdate         = "StateUpdate"
	Action              = "Action"
)

// CloudWatch keeps history for two weeks; we keep at most so many items of one
// alarm, that one which flaps does not fill the memory.
const (
	historyAge   = 14 * 24 * time.Hour
	historyItems = 100
)

// HistoryItem is one line of an alarm's history. Data is a JSON document.
type HistoryItem struct {
	Alarm, Type, Summary, Data string
	At                         time.Time
	Key                        string // its place in the table
}

// HistoryFilter picks history items. Zero fields pick all.
type HistoryFilter struct {
	Alarm, Type   string
	Since, Before time.Time
}

// History returns the items that f picks, oldest first.
func (a *Alarms) History(f HistoryFilter) []HistoryItem {
	prefix := ""
	if f.Alarm != "" {
		prefix = f.Alarm + "\x00"
	}
	items := slices.DeleteFunc(a.history.List(prefix), func(i HistoryItem) bool {
		return f.Type != "" && i.Type != f.Type || i.At.Before(f.Since) || !f.Before.IsZero() && i.At.After(f.Before)
	})
	slices.SortStableFunc(items, func(x, y HistoryItem) int { return x.At.Compare(y.At) })
	return items
}

// record writes items of one alarm and drops its oldest beyond the limit.
func (a *Alarms) record(ctx context.Context, items ...HistoryItem) error {
	for _, item := range items {
		a.mu.Lock()
		a.seq++
		item.Key = fmt.Sprintf("%s\x00%019d-%d", item.Alarm, item.At.UnixNano(), a.seq)
		a.mu.Unlock()
		if err := a.history.Put(ctx, item.Key, item); err != nil {
			return fmt.Errorf("write history of alarm %s: %w", item.Alarm, err)
		}
	}
	kept := a.history.List(items[0].Alarm + "\x00")
	for _, item := range kept[:max(0, len(kept)-historyItems)] {
		if _, err := a.history.Delete(ctx, item.Key); err != nil {
			return fmt.Errorf("cut history of alarm %s: %w", item.Alarm, err)
		}
	}
	return nil
}

func (a *Alarms) pruneHistory(ctx context.Context, now time.Time) error {
	for _, item := range a.history.List("") {
		if now.Sub(item.At) > historyAge {
			if _, err := a.history.Delete(ctx, item.Key); err != nil {
				return err
			}
		}
	}
	return nil
}

func configItem(al model.Alarm, what string, now time.Time) HistoryItem {
	past := map[string]string{"Create": "created", "Update": "updated", "Delete": "deleted"}[what]
	return HistoryItem{
		Alarm: al.Name, Type: ConfigurationUpdate, At: now,
		Summary: fmt.Sprintf("Alarm %q %s", al.Name, past),
		Data:    document(map[string]any{"version": "1.0", "type": what, past + "Alarm": configuration(al)}),
	}
}

func stateItem(old, al model.Alarm, now time.Time) HistoryItem {
	return HistoryItem{
		Alarm: al.Name, Type: StateUpdate, At: now,
		Summary: fmt.Sprintf("Alarm updated from %s to %s", old.State, al.State),
		Data:    document(map[string]any{"version": "1.0", "oldState": state(old), "newState": state(al)}),
	}
}

// actionItem records an action of the state that an alarm has just entered;
// refused is why nobody carries it out, nil when somebody does.
func actionItem(al model.Alarm, action string, refused error) HistoryItem {
	item := HistoryItem{Alarm: al.Name, Type: Action, At: al.StateUpdatedAt, Summary: "Successfully executed action " + action}
	data := map[string]any{
		"actionState": "Succeeded", "stateUpdateTimestamp": al.StateUpdatedAt.UnixMilli(),
		"notificationResource": action, "publishedMessage": nil, "error": nil,
	}
	if refused != nil {
		item.Summary = fmt.Sprintf("Failed to execute action %s. Received error: %q", action, refused)
		data["actionState"], data["error"] = "Failed", refused.Error()
	}
	item.Data = document(data)
	return item
}

func state(al model.Alarm) map[string]any {
	m := map[string]any{"stateValue": al.State, "stateReason": al.StateReason}
	if json.Valid([]byte(al.StateReasonData)) {
		m["stateReasonData"] = json.RawMessage(al.StateReasonData)
	}
	return m
}

func configuration(al model.Alarm) map[string]any {
	m := map[string]any{
		"alarmName": al.Name, "alarmArn": al.ARN, "actionsEnabled": al.ActionsEnabled,
		"evaluationPeriods": al.EvaluationPeriods,
		"threshold":         al.Threshold, "comparisonOperator": al.Comparison,
		"treatMissingData": cmp.Or(al.MissingData, "missing"),
		"okActions":        orEmpty(al.OKActions), "alarmActions": orEmpty(al.AlarmActions), "insufficientDataActions": orEmpty(al.InsufficientActions),
		"stateValue": al.State,
	}
	switch {
	case len(al.Queries) > 0:
		m["metrics"] = queries(al.Queries)
	case strings.HasPrefix(al.Statistic, "p"):
		m["extendedStatistic"] = al.Statistic
	default:
		m["statistic"] = strings.ToUpper(al.Statistic)
	}
	if len(al.Queries) == 0 {
		m["namespace"], m["metricName"], m["dimensions"] = al.Metric.Namespace, al.Metric.Name, dimensions(al.Metric)
		m["period"] = int(al.Period.Seconds())
	}
	if al.Description != "" {
		m["alarmDescription"] = al.Description
	}
	if al.Unit != "" {
		m["unit"] = al.Unit
	}
	if al.DatapointsToAlarm != 0 {
		m["datapointsToAlarm"] = al.DatapointsToAlarm
	}
	return m
}

func dimensions(id model.MetricID) []map[string]string {
	dims := make([]map[string]string, len(id.Dimensions))
	for i, d := range id.Dimensions {
		dims[i] = map[string]string{"name": d.Name, "value": d.Value}
	}
	return dims
}

// queries are the Metrics[] of an alarm on metric math.
func queries(all []model.MetricQuery) []map[string]any {
	out := make([]map[string]any, len(all))
	for i, q := range all {
		out[i] = map[string]any{"id": q.ID, "returnData": q.Returns()}
		if q.Label != "" {
			out[i]["label"] = q.Label
		}
		if q.Expression != "" {
			out[i]["expression"] = q.Expression
			continue
		}
		out[i]["metricStat"] = map[string]any{
			"metric": map[string]any{"namespace": q.Metric.Namespace, "metricName": q.Metric.Name, "dimensions": dimensions(q.Metric)},
			"period": int(q.Period.Seconds()), "stat": q.Statistic,
		}
	}
	return out
}

func orEmpty(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// document writes plain values, which cannot fail to be written: numbers are
// finite, as PutMetricAlarm sees to.
func document(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		return "{}"
	}
	return string(data)
}
