package wire_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/fxamacker/cbor/v2"

	"neargate/internal/aws/wire"
)

// The decoders are tried through the front door: whatever the body, the answer
// is the operation's (200) or a client's mistake (400), never our failure. The
// operations give their input back, so that the encoders see it too.
func fuzzHandler() http.Handler {
	return wire.NewHandler([]wire.Service{
		{SigningName: "ecs", TargetPrefix: "ECS", Style: wire.LowerCamel, Operations: []wire.Operation{echo[ecs.RegisterTaskDefinitionInput]("Do")}},
		{SigningName: "monitoring", TargetPrefix: "CW", Version: "1", Operations: []wire.Operation{echo[cloudwatch.PutMetricDataInput]("Do")}},
	}, anyone{}, wire.Config{Log: slog.New(slog.DiscardHandler)})
}

func echo[T any](name string) wire.Operation {
	return wire.Op(name, func(_ context.Context, in *T) (*T, error) { return in, nil })
}

func tryBody(t *testing.T, h http.Handler, path string, header map[string]string, body string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	for k, v := range header {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != 200 && w.Code != 400 {
		t.Errorf("%q: %d %s", body, w.Code, w.Body)
	}
}

func FuzzJSON(f *testing.F) {
	for _, s := range []string{
		``, `{}`, `{"family":"f","containerDefinitions":[{"name":"c","cpu":1,"environment":[{"name":"a","value":"b"}],"dockerLabels":{"a":"b"}}]}`,
		`{"containerDefinitions":[null,{"memory":1e400}]}`, `{"tags":{"0":1}}`, `{"volumes":[{"host":{}}],"enableFaultInjection":true}`,
	} {
		f.Add(s)
	}
	h := fuzzHandler()
	f.Fuzz(func(t *testing.T, body string) {
		tryBody(t, h, "/", map[string]string{"X-Amz-Target": "ECS.Do"}, body)
	})
}

func FuzzQuery(f *testing.F) {
	for _, s := range []string{
		"", "Namespace=n&MetricData.member.1.MetricName=m&MetricData.member.1.Value=1.5&MetricData.member.1.Timestamp=2026-01-01T00:00:00Z",
		"MetricData=", "MetricData.member.9999999999.Values.member.1=NaN", "MetricData.1.Dimensions.0.Name=%00", "StrictEntityValidation=maybe",
		"EntityMetricData.member.1.Entity.Attributes.entry.1.key=k&EntityMetricData.member.1.Entity.Attributes.entry.1.value=v",
		"EntityMetricData.member.1.Entity.Attributes.entry.1.key=k", strings.Repeat("a.", 100) + "=1",
	} {
		f.Add(s)
	}
	h := fuzzHandler()
	header := map[string]string{"Authorization": signedFor("monitoring")["Authorization"], "Content-Type": "application/x-www-form-urlencoded"}
	f.Fuzz(func(t *testing.T, body string) {
		tryBody(t, h, "/", header, "Action=Do&Version=1&"+body)
	})
}

func FuzzCBOR(f *testing.F) {
	for _, v := range []any{
		nil, 1,
		map[string]any{},
		map[string]any{"Namespace": "n", "MetricData": []any{map[string]any{
			"Timestamp": cbor.Tag{Number: 1, Content: 1.5e9}, "Values": []float64{1, 2}, "StorageResolution": 60,
			"Dimensions": []any{map[string]string{"Name": "a", "Value": "b"}},
		}}},
		map[string]any{"MetricData": []any{map[string]any{"Timestamp": cbor.Tag{Number: 1, Content: 1e300}}}},
		map[int]int{1: 2},
	} {
		b, err := cbor.Marshal(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	h := fuzzHandler()
	f.Fuzz(func(t *testing.T, body []byte) {
		tryBody(t, h, "/service/CW/operation/Do", nil, string(body))
	})
}
