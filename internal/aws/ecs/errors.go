package ecs

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"neargate/internal/model"
)

func invalid(format string, args ...any) error {
	return model.Errorf(model.Invalid, "InvalidParameterException", format, args...)
}

func client(format string, args ...any) error {
	return model.Errorf(model.Invalid, "ClientException", format, args...)
}

// missing is what Describe calls answer for what is not there.
func missing(arn string) types.Failure {
	return types.Failure{Arn: aws.String(arn), Reason: aws.String("MISSING")}
}
