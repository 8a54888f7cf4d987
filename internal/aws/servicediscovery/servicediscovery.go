// Package servicediscovery is the face of names that services find each other by:
// the API of AWS Cloud Map over package discovery. It keeps nothing of its own.
package servicediscovery

import (
	"math"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/servicediscovery/types"

	"neargate/internal/aws/wire"
	"neargate/internal/discovery"
	"neargate/internal/model"
)

type service struct {
	directory *discovery.Directory
	place     model.Place
}

// New returns the face of a directory.
func New(d *discovery.Directory, place model.Place) wire.Service {
	s := &service{directory: d, place: place}
	return wire.Service{
		SigningName:  "servicediscovery",
		TargetPrefix: "Route53AutoNaming_v20170314",
		Style:        wire.UpperCamel,
		Refused:      refused(),
		Refuse:       wire.RefuseWith(invalidInput),
		Kept:         kept(),
		Operations: []wire.Operation{
			wire.Op("CreateHttpNamespace", s.createHTTPNamespace),
			wire.Op("CreatePrivateDnsNamespace", s.createPrivateDNSNamespace),
			wire.Op("CreateService", s.createService),
			wire.Op("DeleteNamespace", s.deleteNamespace),
			wire.Op("DeleteService", s.deleteService),
			wire.Op("DeregisterInstance", s.deregisterInstance),
			wire.Op("DiscoverInstances", s.discoverInstances),
			wire.Op("GetInstance", s.getInstance),
			wire.Op("GetInstancesHealthStatus", s.getInstancesHealthStatus),
			wire.Op("GetNamespace", s.getNamespace),
			wire.Op("GetOperation", s.getOperation),
			wire.Op("GetService", s.getService),
			wire.Op("ListInstances", s.listInstances),
			wire.Op("ListNamespaces", s.listNamespaces),
			wire.Op("ListOperations", s.listOperations),
			wire.Op("ListServices", s.listServices),
			wire.Op("ListTagsForResource", s.listTagsForResource),
			wire.Op("RegisterInstance", s.registerInstance),
			wire.Op("TagResource", s.tagResource),
			wire.Op("UntagResource", s.untagResource),
			wire.Op("UpdateHttpNamespace", s.updateHTTPNamespace),
			wire.Op("UpdateInstanceCustomHealthStatus", s.updateInstanceCustomHealthStatus),
			wire.Op("UpdatePrivateDnsNamespace", s.updatePrivateDNSNamespace),
			wire.Op("UpdateService", s.updateService),
		},
	}
}

// invalidInput is the code of bad input here.
const invalidInput = "InvalidInput"

func invalid(format string, args ...any) error {
	return model.Errorf(model.Invalid, invalidInput, format, args...)
}

// identifier returns an ID, or an ARN, that a call must give. InvalidInput.
func identifier(member string, v *string) (string, error) {
	var c wire.Checks
	value := c.Text(member, v, 1, 255)
	return value, c.Err(invalidInput)
}

// text returns nil for an empty text, as an answer leaves it out.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// page cuts a page of 100, or of as many as is asked for, out of what is sorted
// by key. InvalidInput.
func page[T any](items []T, key func(T) string, token *string, most *int32) ([]T, *string, error) {
	var c wire.Checks
	limit := c.Range("maxResults", most, 1, 100, 100)
	if err := c.Err(invalidInput); err != nil {
		return nil, nil, err
	}
	cut, next, ok := wire.Page(items, key, aws.ToString(token), int(limit))
	if !ok {
		return nil, nil, invalid("The NextToken is not valid")
	}
	return cut, text(next), nil
}

// ttl reads a number of seconds. InvalidInput.
func ttl(v *int64) (time.Duration, error) {
	if n := aws.ToInt64(v); v == nil || n < 0 || n > math.MaxInt32 {
		return 0, invalid("A TTL must be a number of seconds from 0 to %d", math.MaxInt32)
	}
	return time.Duration(*v) * time.Second, nil
}

func secondsOf(d time.Duration) *int64 { return aws.Int64(int64(d / time.Second)) }

func readTags(in []types.Tag) (tags []model.Tag) {
	for _, t := range in {
		tags = append(tags, model.Tag{Key: aws.ToString(t.Key), Value: aws.ToString(t.Value)})
	}
	return tags
}
