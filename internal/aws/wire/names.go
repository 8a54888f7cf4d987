package wire

import (
	"reflect"
	"strings"
)

const sdk = "github.com/aws/aws-sdk-go-v2/service/"

// oddName returns the wire name of a member whose name does not follow from the
// SDK's field name and the service's style. The test that tries every shape
// finds them.
func oddName(t reflect.Type, field string) (string, bool) {
	switch t.PkgPath() + "." + t.Name() + "." + field {
	case sdk + "ecr/types.Tag.Key", sdk + "ecr/types.Tag.Value", sdk + "cloudwatchlogs.DescribeDestinationsInput.DestinationNamePrefix":
		return field, true
	case sdk + "sts/types.PolicyDescriptorType.Arn":
		return "arn", true
	}
	if t.PkgPath() == sdk+"acm/types" && t.Name() == "Filters" {
		return strings.ToLower(field[:1]) + field[1:], true
	}
	return "", false
}

// awsCase undoes Go's initialisms, which types written by hand have: GroupID is
// GroupId on the wire.
func awsCase(field string) string {
	return strings.NewReplacer("ID", "Id", "IP", "Ip", "DNS", "Dns").Replace(field)
}
