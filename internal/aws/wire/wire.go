// Package wire speaks the AWS protocols: AWS JSON 1.0 and 1.1, Query (also
// EC2's form of it), REST with JSON and RPC v2 CBOR. It decodes requests into the input types
// of AWS SDK for Go v2 and encodes its output types and errors, all by
// reflection, so that no shape is typed by hand.
//
// A face (one package a service) hands wire a Service: its names and a table of
// operations. Only wire writes to the connection; operations return data or a
// *model.Error. An operation that is not in the table answers AWS's own error
// for an unknown operation.
package wire

import (
	"context"

	"neargate/internal/model"
)

// Service is one AWS service as a face offers it.
type Service struct {
	SigningName  string // in the SigV4 credential scope: "ecs", "elasticloadbalancing", …
	TargetPrefix string // of X-Amz-Target and of the CBOR path: "AmazonEC2ContainerServiceV20141113"; "" for Query only
	Version      string // of Query: "2015-12-01"; "" when not spoken
	Namespace    string // XML namespace of Query answers
	Style        Style  // how field names look on the wire in JSON
	EC2          bool   // Query answers in EC2's form
	Operations   []Operation

	// Status is the HTTP status of error codes that do not have their
	// Kind's usual one, e.g. NoSuchEntity: 404.
	Status map[string]int
	// QueryCodes is, for a service that speaks Query beside JSON or CBOR,
	// Query's code of an error shape where it differs from the shape's name:
	// InvalidParameterValueException: InvalidParameterValue. Operations use
	// the shape's name.
	QueryCodes map[string]string
	// Unions holds one value of each union member type that inputs may
	// contain, e.g. &types.EvaluationCriteriaMemberPromQLCriteria{}. Members
	// that are not listed are refused.
	Unions []any
	// Refused are settings that calls must not ask for, by Refuse's error.
	Refused []Setting
	// Refuse makes the error with which an operation refuses a setting.
	Refuse func(op, sentence string) error
	// Kept are settings that are accepted and have no effect.
	Kept []Setting
	// MaxBody is the largest request body in bytes; 0 means the handler's.
	MaxBody int64
}

// Style is the case of field names in JSON.
type Style int

// The styles.
const (
	UpperCamel Style = iota // ScalableTargets: Application Auto Scaling, CloudWatch
	LowerCamel              // serviceArns: ECS, ECR, Logs
)

// Operation is one operation of a service. Make it with Op.
type Operation struct {
	Name string
	// New makes an empty input, a pointer to a struct.
	New func() any
	// Route is set for REST alone; see At.
	Route Route
	// Call runs the operation on what New made and the request filled.
	Call func(ctx context.Context, in any) (any, error)
}

// Op makes an Operation from a function over SDK types, e.g.
// Op("CreateCluster", s.createCluster).
func Op[In, Out any](name string, fn func(context.Context, *In) (*Out, error)) Operation {
	return Operation{
		Name: name,
		New:  func() any { return new(In) },
		Call: func(ctx context.Context, in any) (any, error) { return fn(ctx, in.(*In)) },
	}
}

// Caller is who signed a request.
type Caller struct {
	AccessKey string
	ARN       string
	UserID    string
	Place     model.Place
}

type callerKey struct{}

// WithCaller puts the caller into a request's context.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerFrom returns the caller of the request that ctx belongs to; zero outside one.
func CallerFrom(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}
