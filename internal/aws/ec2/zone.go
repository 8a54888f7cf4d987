package ec2

import (
	"context"
	"slices"
)

type describeAvailabilityZonesInput struct {
	ZoneNames            []string `query:"ZoneName"`
	ZoneIDs              []string `query:"ZoneId"`
	Filters              []filter `query:"Filter"`
	AllAvailabilityZones bool
	DryRun               bool
}

type describeAvailabilityZonesOutput struct {
	AvailabilityZones []zone `xml:"availabilityZoneInfo"`
}

type zone struct {
	ZoneName, ZoneID, ZoneType, GroupName, NetworkBorderGroup, RegionName, OptInStatus string

	State    string   `xml:"zoneState"`
	Messages []string `xml:"messageSet"`
}

// describeAvailabilityZones: the default VPC has a subnet in each. Errors:
// InvalidParameterValue.
func (s *service) describeAvailabilityZones(_ context.Context, in *describeAvailabilityZonesInput) (*describeAvailabilityZonesOutput, error) {
	region := s.n.Place().Region
	var names, ids []string
	for _, z := range s.n.Zones() {
		names, ids = append(names, z.Name), append(ids, z.ID)
	}
	for _, name := range in.ZoneNames {
		if !slices.Contains(names, name) {
			return nil, invalid("Invalid availability zone: [%.80s]", name)
		}
	}
	for _, id := range in.ZoneIDs {
		if !slices.Contains(ids, id) {
			return nil, invalid("Invalid availability zone-id: [%.80s]", id)
		}
	}
	out := &describeAvailabilityZonesOutput{}
	for _, z := range s.n.Zones() {
		ok, err := matches(in.Filters, attributes{
			"zone-name": {z.Name}, "zone-id": {z.ID}, "region-name": {region}, "state": {"available"}, "zone-type": {"availability-zone"},
			"opt-in-status": {"opt-in-not-required"}, "group-name": {region + "-zg-1"}, "message": nil,
		}, nil)
		if err != nil {
			return nil, err
		}
		if ok && asked(in.ZoneNames, z.Name) && asked(in.ZoneIDs, z.ID) {
			out.AvailabilityZones = append(out.AvailabilityZones, zone{
				ZoneName: z.Name, ZoneID: z.ID, ZoneType: "availability-zone", GroupName: region + "-zg-1",
				NetworkBorderGroup: region, RegionName: region, OptInStatus: "opt-in-not-required", State: "available",
			})
		}
	}
	return out, nil
}

type describeRegionsInput struct {
	RegionNames []string `query:"RegionName"`
	Filters     []filter `query:"Filter"`
	AllRegions  bool
	DryRun      bool
}

type describeRegionsOutput struct {
	Regions []region `xml:"regionInfo"`
}

type region struct {
	RegionName  string
	Endpoint    string `xml:"regionEndpoint"`
	OptInStatus string
}

// describeRegions: the server's own. Errors: InvalidParameterValue.
func (s *service) describeRegions(_ context.Context, in *describeRegionsInput) (*describeRegionsOutput, error) {
	r := region{RegionName: s.n.Place().Region, Endpoint: "ec2." + s.n.Place().Region + ".amazonaws.com", OptInStatus: "opt-in-not-required"}
	for _, name := range in.RegionNames {
		if name != r.RegionName {
			return nil, invalid("Invalid region provided: %.80s", name)
		}
	}
	ok, err := matches(in.Filters, attributes{"region-name": {r.RegionName}, "endpoint": {r.Endpoint}, "opt-in-status": {r.OptInStatus}}, nil)
	out := &describeRegionsOutput{}
	if ok {
		out.Regions = []region{r}
	}
	return out, err
}
