package wire

import "reflect"

const sdk = "github.com/aws/aws-sdk-go-v2/service/"

// oddNames are the members whose name on the wire does not follow from the
// SDK's field name and the service's style, by type and field. The test that
// tries every shape finds them.
var oddNames = map[string]string{
	sdk + "ecr/types.Tag.Key":   "Key",
	sdk + "ecr/types.Tag.Value": "Value",
	sdk + "cloudwatchlogs.DescribeDestinationsInput.DestinationNamePrefix": "DestinationNamePrefix",
	sdk + "sts/types.PolicyDescriptorType.Arn":                             "arn",
}

// oddName gives the wire name of a field that has an odd one.
func oddName(t reflect.Type, field string) (string, bool) {
	name, ok := oddNames[t.PkgPath()+"."+t.Name()+"."+field]
	return name, ok
}
