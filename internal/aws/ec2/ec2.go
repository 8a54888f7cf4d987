// Package ec2 is the face of as much of Amazon EC2 as a stack of ECS and a load
// balancer touches: VPCs with their subnets, gateways and routes, network ACLs,
// elastic addresses, and security groups.
//
// The SDK's EC2 module is very large, so the shapes are written by hand here. The
// package is safe for concurrent use.
package ec2

import (
	"context"
	"net/http"
	"reflect"
	"slices"

	"neargate/internal/aws/wire"
	"neargate/internal/model"
	"neargate/internal/vpc"
)

type service struct {
	n *vpc.Networks
}

// New returns the face of networks.
func New(n *vpc.Networks) wire.Service {
	s := &service{n}
	return wire.Service{
		SigningName: "ec2",
		Version:     "2016-11-15",
		Namespace:   "http://ec2.amazonaws.com/doc/2016-11-15/",
		EC2:         true,
		Status:      map[string]int{"DryRunOperation": http.StatusPreconditionFailed},
		Refused:     refused(),
		Refuse:      wire.RefuseWith("UnsupportedOperation"),
		Kept:        kept(),
		Operations: slices.Concat(s.vpcOperations(), s.subnetOperations(), s.addressOperations(), s.gatewayOperations(), s.routeOperations(), s.aclOperations(),
			s.keptOperations(), s.groupOperations(), s.accountOperations()),
	}
}

// op is wire.Op for inputs that have the member DryRun, which all of EC2's do:
// with it set, nothing is done.
func op[In, Out any](name string, fn func(context.Context, *In) (*Out, error)) wire.Operation {
	return wire.Op(name, func(ctx context.Context, in *In) (*Out, error) {
		if reflect.ValueOf(in).Elem().FieldByName("DryRun").Bool() {
			return nil, model.Errorf(model.Invalid, "DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
		}
		return fn(ctx, in)
	})
}

// done is the answer of operations that have nothing else to tell.
type done struct {
	Return bool
}

// finish is the answer of such an operation, or its error.
func finish(err error) (*done, error) {
	if err != nil {
		return nil, err
	}
	return &done{true}, nil
}

func invalid(format string, args ...any) error {
	return model.Errorf(model.Invalid, "InvalidParameterValue", format, args...)
}

func missing(parameter string) error {
	return model.Errorf(model.Invalid, "MissingParameter", "The request must contain the parameter %s", parameter)
}

// required refuses the first parameter without a value, of pairs of a name and a
// value.
func required(pairs ...string) error {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			return missing(pairs[i])
		}
	}
	return nil
}
