package ecs

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"neargate/internal/aws/wire"
	"neargate/internal/model"
)

func invalid(format string, args ...any) error {
	return model.Errorf(model.Invalid, "InvalidParameterException", format, args...)
}

func client(format string, args ...any) error {
	return model.Errorf(model.Invalid, "ClientException", format, args...)
}

func missing(arn string) types.Failure {
	return types.Failure{Arn: aws.String(arn), Reason: aws.String("MISSING")}
}

// page cuts one page of ARNs or names, sorted, out of all.
func page(all []string, token *string, limit *int32, fallback int) (items []string, next *string, err error) {
	n := fallback
	if limit != nil {
		if n = int(*limit); n < 1 || n > 100 {
			return nil, nil, invalid("maxResults must be between 1 and 100.")
		}
	}
	items, after, ok := wire.Page(all, func(s string) string { return s }, aws.ToString(token), n)
	if !ok {
		return nil, nil, invalid("Invalid token: %s", aws.ToString(token))
	}
	if items == nil {
		items = []string{}
	}
	if after != "" {
		next = &after
	}
	return items, next, nil
}

// caller is the ARN of who signed the request; outside one, the account's root.
func (s *service) caller(ctx context.Context) *string {
	if c := wire.CallerFrom(ctx); c.ARN != "" {
		return aws.String(c.ARN)
	}
	return aws.String("arn:aws:iam::" + s.place.Account + ":root")
}
