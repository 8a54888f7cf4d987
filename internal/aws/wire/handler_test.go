package wire_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	aastypes "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/fxamacker/cbor/v2"
	"github.com/google/go-cmp/cmp"

	"neargate/internal/aws/wire"
	"neargate/internal/model"
)

// strict refuses requests whose access key is not "test".
type strict struct{}

func (strict) Authenticate(r *http.Request, _ string) (wire.Signature, error) {
	if !strings.Contains(r.Header.Get("Authorization"), "Credential=test/") {
		return nil, model.Errorf(model.Denied, "UnrecognizedClientException", "The security token included in the request is invalid.")
	}
	return func([]byte) (wire.Caller, error) {
		return wire.Caller{AccessKey: "test", ARN: "arn:aws:iam::000000000000:root"}, nil
	}, nil
}

// The services of these tests: one a protocol, with operations that fail in
// every way.
func testServices() []wire.Service {
	return []wire.Service{
		{
			SigningName: "ecs", TargetPrefix: "AmazonEC2ContainerServiceV20141113", Style: wire.LowerCamel, MaxBody: 2000,
			Operations: []wire.Operation{
				wire.Op("CreateCluster", func(ctx context.Context, in *ecs.CreateClusterInput) (*ecs.CreateClusterOutput, error) {
					arn := wire.CallerFrom(ctx).ARN
					return &ecs.CreateClusterOutput{Cluster: &ecstypes.Cluster{ClusterName: in.ClusterName, ClusterArn: &arn}}, nil
				}),
				wire.Op("ListClusters", func(context.Context, *ecs.ListClustersInput) (*ecs.ListClustersOutput, error) {
					return &ecs.ListClustersOutput{}, nil
				}),
				wire.Op("DeleteCluster", func(context.Context, *ecs.DeleteClusterInput) (*ecs.DeleteClusterOutput, error) {
					return nil, model.Errorf(model.NotFound, "ClusterNotFoundException", "Cluster not found.")
				}),
				wire.Op("StopTask", func(context.Context, *ecs.StopTaskInput) (*ecs.StopTaskOutput, error) {
					return nil, errors.New("secret detail")
				}),
				wire.Op("RunTask", func(context.Context, *ecs.RunTaskInput) (*ecs.RunTaskOutput, error) {
					panic("invariant broken")
				}),
			},
		},
		{
			SigningName: "elasticloadbalancing", Version: "2015-12-01", Namespace: "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/",
			Status: map[string]int{"PriorRequestNotComplete": 429},
			Operations: []wire.Operation{
				wire.Op("DescribeTargetGroups", func(_ context.Context, in *elasticloadbalancingv2.DescribeTargetGroupsInput) (*elasticloadbalancingv2.DescribeTargetGroupsOutput, error) {
					if len(in.Names) > 0 {
						return nil, model.Errorf(model.NotFound, "TargetGroupNotFound", "One or more target groups not found")
					}
					return &elasticloadbalancingv2.DescribeTargetGroupsOutput{}, nil
				}),
				wire.Op("DescribeTags", func(context.Context, *elasticloadbalancingv2.DescribeTagsInput) (*elasticloadbalancingv2.DescribeTagsOutput, error) {
					return nil, model.Errorf(model.Throttled, "PriorRequestNotComplete", "wait")
				}),
			},
		},
		{
			SigningName: "monitoring", TargetPrefix: "GraniteServiceVersion20100801", Version: "2010-08-01", Namespace: "http://monitoring.amazonaws.com/doc/2010-08-01/",
			QueryCodes: map[string]string{"InvalidParameterValueException": "InvalidParameterValue"},
			Operations: []wire.Operation{
				wire.Op("PutMetricData", func(_ context.Context, in *cloudwatch.PutMetricDataInput) (*cloudwatch.PutMetricDataOutput, error) {
					if len(in.MetricData) == 0 {
						return nil, model.Errorf(model.Invalid, "InvalidParameterValueException", "The collection MetricData must not be empty.")
					}
					return &cloudwatch.PutMetricDataOutput{}, nil
				}),
			},
		},
		{SigningName: "application-autoscaling", TargetPrefix: "AnyScaleFrontendService", Operations: []wire.Operation{
			wire.Op("DescribeScalableTargets", func(context.Context, *applicationautoscaling.DescribeScalableTargetsInput) (*applicationautoscaling.DescribeScalableTargetsOutput, error) {
				return nil, model.Errorf(model.Invalid, "ValidationException", "no & never")
			}),
		}},
		{SigningName: "ec2", Version: "2016-11-15", Namespace: "http://ec2.amazonaws.com/doc/2016-11-15/", EC2: true},
	}
}

func testHandler(log io.Writer) http.Handler {
	return wire.NewHandler(testServices(), strict{}, wire.Config{
		Log:          slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		NewRequestID: func() string { return "id-1" },
	})
}

// exchange is a raw request and what must come back.
type exchange struct {
	method, path, body string
	header             map[string]string
	status             int
	want               string // body; "~text" must be contained
	wantHeader         map[string]string
}

func signedFor(service string) map[string]string {
	return map[string]string{"Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/" + service + "/aws4_request, SignedHeaders=host, Signature=x"}
}

func jsonCall(target string) map[string]string {
	h := signedFor("ecs")
	h["X-Amz-Target"], h["Content-Type"] = target, "application/x-amz-json-1.1"
	return h
}

func queryCall(service string) map[string]string {
	h := signedFor(service)
	h["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8"
	return h
}

const ecsTarget = "AmazonEC2ContainerServiceV20141113."

func (x exchange) try(t *testing.T) {
	t.Helper()
	if x.method == "" {
		x.method = "POST"
	}
	if x.path == "" {
		x.path = "/"
	}
	r := httptest.NewRequestWithContext(t.Context(), x.method, x.path, strings.NewReader(x.body))
	for k, v := range x.header {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	testHandler(t.Output()).ServeHTTP(w, r)
	body := w.Body.String()
	if part, ok := strings.CutPrefix(x.want, "~"); w.Code != x.status || ok && !strings.Contains(body, part) || !ok && body != x.want {
		t.Errorf("got  %d %s\nwant %d %s", w.Code, body, x.status, x.want)
	}
	if got := w.Header().Get("x-amzn-RequestId"); got != "id-1" {
		t.Errorf("x-amzn-RequestId = %q", got)
	}
	for k, v := range x.wantHeader {
		if got := w.Header().Get(k); got != v {
			t.Errorf("%s = %q, want %q", k, got, v)
		}
	}
}

func TestJSONExchanges(t *testing.T) {
	for name, x := range map[string]exchange{
		"answers with the caller at hand": {
			header: jsonCall(ecsTarget + "CreateCluster"), body: `{"clusterName":"a<b","unknown":[1]}`, status: 200,
			want:       `~"clusterArn":"arn:aws:iam::000000000000:root","clusterName":"a<b"`,
			wantHeader: map[string]string{"Content-Type": "application/x-amz-json-1.1"},
		},
		"empty body, empty list present": {header: jsonCall(ecsTarget + "ListClusters"), status: 200, want: `{"clusterArns":[]}`},
		"operation's own error": {
			header: jsonCall(ecsTarget + "DeleteCluster"), body: `{}`, status: 400,
			want:       `{"__type":"ClusterNotFoundException","message":"Cluster not found."}`,
			wantHeader: map[string]string{"X-Amzn-Errortype": "ClusterNotFoundException"},
		},
		"inner error shows nothing": {
			header: jsonCall(ecsTarget + "StopTask"), body: `{}`, status: 500,
			want: `{"__type":"InternalFailure","message":"The request processing has failed because of an unknown error, exception or failure."}`,
		},
		"panic is an inner error": {header: jsonCall(ecsTarget + "RunTask"), body: `{}`, status: 500, want: `~InternalFailure`},
		"unknown operation": {
			header: jsonCall(ecsTarget + "MakeTea"), body: `{}`, status: 400,
			want: `{"__type":"UnknownOperationException","message":"The action MakeTea is not valid for this web service."}`,
		},
		"unknown service":  {header: jsonCall("DynamoDB_20120810.ListTables"), status: 400, want: `~UnknownOperationException`},
		"other path":       {method: "GET", path: "/2015-03-31/functions", status: 404, want: `~UnknownOperationException`},
		"malformed":        {header: jsonCall(ecsTarget + "CreateCluster"), body: `{"clusterName":`, status: 400, want: `{"__type":"SerializationException","message":"Unexpected end of the JSON document."}`},
		"trailing data":    {header: jsonCall(ecsTarget + "CreateCluster"), body: `{} {}`, status: 400, want: `~SerializationException`},
		"no structure":     {header: jsonCall(ecsTarget + "CreateCluster"), body: `[]`, status: 400, want: `~START_ARRAY can not be converted to a structure`},
		"wrong type":       {header: jsonCall(ecsTarget + "CreateCluster"), body: `{"clusterName":3}`, status: 400, want: `~clusterName: NUMBER_VALUE can not be converted to a String`},
		"wrong type below": {header: jsonCall(ecsTarget + "CreateCluster"), body: `{"tags":[{"key":"a"},{"key":true}]}`, status: 400, want: `~tags: 1: key: TRUE_VALUE can not be converted to a String`},
		"number too big":   {header: jsonCall(ecsTarget + "RunTask"), body: `{"count":3000000000}`, status: 400, want: `~count: NUMBER_VALUE can not be converted to an Integer`},
		"null is unset":    {header: jsonCall(ecsTarget + "CreateCluster"), body: `{"clusterName":null,"tags":[null]}`, status: 200, want: `~"clusterArn"`},
		"too large": {
			header: jsonCall(ecsTarget + "CreateCluster"), body: `{"clusterName":"` + strings.Repeat("x", 2000) + `"}`, status: 413,
			want: `{"__type":"RequestEntityTooLargeException","message":"The request body is larger than 2000 bytes."}`,
		},
		"not signed": {header: map[string]string{"X-Amz-Target": ecsTarget + "ListClusters"}, status: 400, want: `~UnrecognizedClientException`},
		"JSON 1.0, query code as header": {
			header: map[string]string{
				"Authorization": signedFor("monitoring")["Authorization"],
				"X-Amz-Target":  "GraniteServiceVersion20100801.PutMetricData", "Content-Type": "application/x-amz-json-1.0",
			}, body: "{}", status: 400,
			want:       `{"Message":"The collection MetricData must not be empty.","__type":"InvalidParameterValueException"}`,
			wantHeader: map[string]string{"Content-Type": "application/x-amz-json-1.0", "X-Amzn-Query-Error": "InvalidParameterValue;Sender"},
		},
	} {
		t.Run(name, x.try)
	}
}

func TestQueryExchanges(t *testing.T) {
	const elb, v = "elasticloadbalancing", "&Version=2015-12-01"
	const xmlns = `xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"`
	failure := func(typ, code, msg string) string {
		return `<ErrorResponse ` + xmlns + `><Error><Type>` + typ + `</Type><Code>` + code + `</Code><Message>` + msg + `</Message></Error><RequestId>id-1</RequestId></ErrorResponse>`
	}
	for name, x := range map[string]exchange{
		"empty list present": {
			header: queryCall(elb), body: "Action=DescribeTargetGroups" + v, status: 200,
			want: `<DescribeTargetGroupsResponse ` + xmlns + `><DescribeTargetGroupsResult><TargetGroups></TargetGroups></DescribeTargetGroupsResult>` +
				`<ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata></DescribeTargetGroupsResponse>`,
			wantHeader: map[string]string{"Content-Type": "text/xml"},
		},
		"GET":                   {method: "GET", path: "/?Action=DescribeTargetGroups" + v, header: signedFor(elb), status: 200, want: "~DescribeTargetGroupsResult"},
		"operation's own error": {header: queryCall(elb), body: "Action=DescribeTargetGroups&Names.member.1=x" + v, status: 400, want: failure("Sender", "TargetGroupNotFound", "One or more target groups not found")},
		"status by code":        {header: queryCall(elb), body: "Action=DescribeTags" + v, status: 429, want: "~PriorRequestNotComplete"},
		"unknown operation":     {header: queryCall(elb), body: "Action=MakeTea" + v, status: 400, want: failure("Sender", "InvalidAction", "The action MakeTea is not valid for this web service.")},
		"other version": {
			header: queryCall(elb), body: "Action=DescribeTargetGroups&Version=2012-06-01", status: 400,
			want: failure("Sender", "InvalidAction", "Could not find operation DescribeTargetGroups for version 2012-06-01"),
		},
		"no version":       {header: queryCall(elb), body: "Action=DescribeTargetGroups", status: 400, want: "~NO_VERSION_SPECIFIED"},
		"no action":        {header: queryCall(elb), body: "", status: 400, want: "~<Code>MissingAction</Code>"},
		"malformed form":   {header: queryCall(elb), body: "Action=%zz", status: 400, want: "~<Code>MalformedQueryString</Code>"},
		"value of no type": {header: queryCall(elb), body: "Action=DescribeTargetGroups&PageSize=many" + v, status: 400, want: "~<Code>MalformedInput</Code><Message>The value &#34;many&#34; of parameter PageSize is not an integer.</Message>"},
		"unknown key":      {header: map[string]string{"Authorization": strings.Replace(signedFor(elb)["Authorization"], "=test/", "=who/", 1)}, status: 403, want: failure("Sender", "InvalidClientTokenId", "The security token included in the request is invalid.")},
		"not signed":       {body: "Action=DescribeTargetGroups", status: 403, want: "~<Code>MissingAuthenticationToken</Code>"},
		"unknown service":  {header: queryCall("sns"), body: "Action=ListTopics", status: 400, want: "~<Code>InvalidAction</Code>"},
		"unknown service of REST with XML": {
			method: "GET", path: "/2013-04-01/hostedzone", header: signedFor("route53"), status: 400,
			want: "~<Code>InvalidAction</Code><Message>The service &#34;route53&#34; is not offered here.</Message>",
		},
		"code of Query":     {header: queryCall("monitoring"), body: "Action=PutMetricData&Version=2010-08-01", status: 400, want: "~<Code>InvalidParameterValue</Code>"},
		"EC2, unknown key":  {header: map[string]string{"Authorization": strings.Replace(signedFor("ec2")["Authorization"], "=test/", "=who/", 1)}, status: 401, want: `<Response><Errors><Error><Code>AuthFailure</Code><Message>AWS was not able to validate the provided access credentials</Message></Error></Errors><RequestID>id-1</RequestID></Response>`},
		"EC2, no operation": {header: queryCall("ec2"), body: "Action=CreateVpc&Version=2016-11-15", status: 400, want: "~<Code>InvalidAction</Code><Message>The action CreateVpc is not valid for this web service.</Message>"},
	} {
		t.Run(name, x.try)
	}
}

func TestCBORExchanges(t *testing.T) {
	header := func(more ...string) map[string]string {
		h := signedFor("monitoring")
		h["Smithy-Protocol"], h["Content-Type"] = "rpc-v2-cbor", "application/cbor"
		for i := 0; i < len(more); i += 2 {
			h[more[i]] = more[i+1]
		}
		return h
	}
	const path = "/service/GraniteServiceVersion20100801/operation/"
	encode := func(v any) string {
		b, err := cbor.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	zip := func(s string) string {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write([]byte(s))
		_ = z.Close()
		return b.String()
	}
	data := map[string]any{"MetricData": []any{map[string]any{"MetricName": "m"}}}
	always := map[string]string{"Smithy-Protocol": "rpc-v2-cbor", "Content-Type": "application/cbor"}
	for name, x := range map[string]exchange{
		"answers":                        {path: path + "PutMetricData", header: header(), body: encode(data), status: 200, want: "\xa0", wantHeader: always},
		"gzip":                           {path: path + "PutMetricData", header: header("Content-Encoding", "gzip"), body: zip(encode(data)), status: 200, want: "\xa0"},
		"no gzip":                        {path: path + "PutMetricData", header: header("Content-Encoding", "gzip"), body: encode(data), status: 400, want: "~SerializationException"},
		"other encoding":                 {path: path + "PutMetricData", header: header("Content-Encoding", "br"), body: encode(data), status: 400, want: "~SerializationException"},
		"gzip that grows over the limit": {path: path + "PutMetricData", header: header("Content-Encoding", "gzip"), body: zip(strings.Repeat("a", 5<<20)), status: 413, want: "~RequestEntityTooLargeException"},
		"operation's own error": {
			path: path + "PutMetricData", header: header(), body: encode(map[string]any{}), status: 400, want: "~InvalidParameterValueException",
			wantHeader: map[string]string{"X-Amzn-Query-Error": "InvalidParameterValue;Sender", "Smithy-Protocol": "rpc-v2-cbor"},
		},
		"unknown operation": {path: path + "MakeTea", header: header(), status: 400, want: "~UnknownOperationException", wantHeader: always},
		"unknown service":   {path: "/service/Tea/operation/Make", header: header(), status: 400, want: "~UnknownOperationException", wantHeader: always},
		"malformed":         {path: path + "PutMetricData", header: header(), body: "\xbf\x61", status: 400, want: "~SerializationException"},
		"no structure":      {path: path + "PutMetricData", header: header(), body: encode(1), status: 400, want: "~SerializationException"},
		"deep":              {path: path + "PutMetricData", header: header(), body: strings.Repeat("\x81", 5000) + "\x01", status: 400, want: "~SerializationException"},
		"wrong type":        {path: path + "PutMetricData", header: header(), body: encode(map[string]any{"Namespace": 1}), status: 400, want: "~Namespace: NUMBER_VALUE can not be converted to a String"},
	} {
		t.Run(name, x.try)
	}
}

func TestInnerErrorsAreLoggedWithTheirCause(t *testing.T) {
	var log bytes.Buffer
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("{}"))
	for k, v := range jsonCall(ecsTarget + "StopTask") {
		r.Header.Set(k, v)
	}
	testHandler(&log).ServeHTTP(httptest.NewRecorder(), r)
	for _, want := range []string{"level=ERROR", "secret detail", "request_id=id-1", "status=500", "operation=StopTask"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("log lacks %q:\n%s", want, &log)
		}
	}
}

func TestSDKClientsSeeTypedErrors(t *testing.T) {
	srv := serve(t, testServices()...)
	ecsClient := ecs.New(ecs.Options{BaseEndpoint: &srv.URL, Region: "us-east-1", Credentials: keys})
	_, err := ecsClient.DeleteCluster(t.Context(), &ecs.DeleteClusterInput{Cluster: &srv.URL})
	if e, ok := errors.AsType[*ecstypes.ClusterNotFoundException](err); !ok || e.ErrorMessage() != "Cluster not found." {
		t.Errorf("ECS: %v, want a ClusterNotFoundException", err)
	}
	aas := applicationautoscaling.New(applicationautoscaling.Options{BaseEndpoint: &srv.URL, Region: "us-east-1", Credentials: keys})
	_, err = aas.DescribeScalableTargets(t.Context(), &applicationautoscaling.DescribeScalableTargetsInput{ServiceNamespace: "ecs"})
	if e, ok := errors.AsType[*aastypes.ValidationException](err); !ok || e.ErrorMessage() != "no & never" {
		t.Errorf("Application Auto Scaling: %v, want a ValidationException", err)
	}
	cw := cloudwatch.New(cloudwatch.Options{BaseEndpoint: &srv.URL, Region: "us-east-1", Credentials: keys})
	_, err = cw.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: &srv.URL})
	if e, ok := errors.AsType[*cwtypes.InvalidParameterValueException](err); !ok || e.ErrorCode() != "InvalidParameterValue" || e.ErrorMessage() != "The collection MetricData must not be empty." {
		t.Errorf("CloudWatch: %v, want an InvalidParameterValueException", err)
	}
	elb := elasticloadbalancingv2.New(elasticloadbalancingv2.Options{BaseEndpoint: &srv.URL, Region: "us-east-1", Credentials: keys})
	_, err = elb.DescribeTargetGroups(t.Context(), &elasticloadbalancingv2.DescribeTargetGroupsInput{Names: []string{"x"}})
	if _, ok := errors.AsType[*elbtypes.TargetGroupNotFoundException](err); !ok {
		t.Errorf("ELBv2: %v, want a TargetGroupNotFoundException", err)
	}
}

func TestJSONNumbersKeepTheirSize(t *testing.T) {
	var seen int64
	h := wire.NewHandler([]wire.Service{{SigningName: "x", TargetPrefix: "X", Operations: []wire.Operation{
		wire.Op("Do", func(_ context.Context, in *struct{ N int64 }) (*struct{ N int64 }, error) {
			seen = in.N
			return in, nil
		}),
	}}}, anyone{}, wire.Config{Log: slog.New(slog.DiscardHandler)})
	for text, want := range map[string]int64{`9007199254740993`: 9007199254740993, `2.0`: 2, `-1e3`: -1000} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(`{"N":`+text+`}`))
		r.Header.Set("X-Amz-Target", "X.Do")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		var out struct{ N int64 }
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]int64{want, want}, []int64{seen, out.N}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}
