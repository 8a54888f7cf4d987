package ec2

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"neargate/internal/model"
)

// group is a security group with its rules, by id.
type group struct {
	ID, Name, Description string
	Rules                 []rule // in the order they were made
}

// newID makes a random id of 17 hex digits.
func newID(prefix string) string {
	b := make([]byte, 9)
	_, _ = rand.Read(b) // never fails
	return prefix + "-" + hex.EncodeToString(b)[:17]
}

// defaultGroup lets in what comes from itself, and out all.
func (n network) defaultGroup() group {
	return group{ID: n.groupID, Name: "default", Description: "default VPC security group", Rules: []rule{
		{ID: newID("sgr"), Protocol: "-1", From: -1, To: -1, Peer: peer{Group: n.groupID}},
		allowAllOut(),
	}}
}

func allowAllOut() rule {
	return rule{ID: newID("sgr"), Egress: true, Protocol: "-1", From: -1, To: -1, Peer: peer{CIDR4: "0.0.0.0/0"}}
}

func (s *EC2) findGroup(id string) (group, error) {
	if !strings.HasPrefix(id, "sg-") {
		return group{}, model.Errorf(model.Invalid, "InvalidGroupId.Malformed", `Invalid id: "%.80s" (expecting "sg-...")`, id)
	}
	g, ok := s.groups.Get(id)
	if !ok {
		return group{}, notFound("InvalidGroup.NotFound", "The security group '%.80s' does not exist", id)
	}
	return g, nil
}

// named finds a group by name, as requests for the default VPC may do.
func (s *EC2) named(name string) (group, error) {
	for _, g := range s.groups.List("") {
		if g.Name == name {
			return g, nil
		}
	}
	return group{}, notFound("InvalidGroup.NotFound", "The security group '%.80s' does not exist in default VPC '%s'", name, s.net.vpcID)
}

type createSecurityGroupInput struct {
	GroupName         string
	Description       string `query:"GroupDescription"`
	VpcID             string
	TagSpecifications []tagSpecification `query:"TagSpecification"`
	DryRun            bool
}

type createSecurityGroupOutput struct {
	Return           bool
	GroupID          string
	SecurityGroupArn string
	Tags             []tag `xml:"tagSet"`
}

// createSecurityGroup makes a group that lets nothing in and all out. Errors:
// MissingParameter, InvalidParameterValue, InvalidVpcID.NotFound,
// InvalidGroup.Duplicate, TagLimitExceeded.
func (s *EC2) createSecurityGroup(ctx context.Context, in *createSecurityGroupInput) (*createSecurityGroupOutput, error) {
	if err := checkGroupInput(in); err != nil {
		return nil, err
	}
	if in.VpcID != "" {
		if err := s.checkVPC(in.VpcID); err != nil {
			return nil, err
		}
	}
	tags, err := specified(in.TagSpecifications, "security-group")
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.named(in.GroupName); err == nil {
		return nil, model.Errorf(model.Conflict, "InvalidGroup.Duplicate", "The security group '%s' already exists for VPC '%s'", in.GroupName, s.net.vpcID)
	}
	g := group{ID: newID("sg"), Name: in.GroupName, Description: in.Description, Rules: []rule{allowAllOut()}}
	if err := s.putTags(ctx, g.ID, tags); err != nil {
		return nil, err
	}
	if err := s.putGroup(ctx, g); err != nil {
		return nil, err
	}
	return &createSecurityGroupOutput{true, g.ID, s.arn("security-group", g.ID), tagsOut(tags)}, nil
}

func checkGroupInput(in *createSecurityGroupInput) error {
	odd := func(text string) bool {
		return len(text) > 255 || strings.ContainsFunc(text, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(" ._-:/()#,@[]+=&;{}!$*", r)
		})
	}
	switch {
	case in.GroupName == "":
		return missing("groupName")
	case in.Description == "":
		return missing("GroupDescription")
	case in.GroupName == "default":
		return model.Errorf(model.Invalid, "InvalidGroup.Reserved", "The security group name 'default' is reserved")
	case odd(in.GroupName):
		return invalid("Value (%.255s) for parameter GroupName is invalid. Character sets beyond ASCII are not supported.", in.GroupName)
	case strings.HasPrefix(in.GroupName, "sg-"):
		return invalid("Value (%.255s) for parameter GroupName is invalid. Group names may not be in the format sg-*.", in.GroupName)
	case odd(in.Description):
		return invalid("Value (%.255s) for parameter GroupDescription is invalid. Character sets beyond ASCII are not supported.", in.Description)
	}
	return nil
}

func (s *EC2) putGroup(ctx context.Context, g group) error {
	if err := s.groups.Put(ctx, g.ID, g); err != nil {
		return fmt.Errorf("keep security group %s: %w", g.ID, err)
	}
	return s.announce()
}

// announce puts the security groups in force. The caller holds s.mu.
func (s *EC2) announce() error {
	if s.cfg.OnPolicy == nil {
		return nil
	}
	return s.cfg.OnPolicy(s.Policy())
}

// groupRef names a group by id, or by name in the default VPC.
type groupRef struct {
	id, name string
}

func (s *EC2) resolve(ref groupRef) (group, error) {
	switch {
	case ref.id != "":
		return s.findGroup(ref.id)
	case ref.name != "":
		return s.named(ref.name)
	default:
		return group{}, model.Errorf(model.Invalid, "MissingParameter", "The request must contain the parameter groupName or groupId")
	}
}

type deleteSecurityGroupInput struct {
	GroupID, GroupName string

	DryRun bool
}

type deleteSecurityGroupOutput struct {
	Return  bool
	GroupID string
}

// deleteSecurityGroup removes a group that nothing uses. Errors:
// MissingParameter, InvalidGroupId.Malformed, InvalidGroup.NotFound,
// CannotDelete, DependencyViolation.
func (s *EC2) deleteSecurityGroup(ctx context.Context, in *deleteSecurityGroupInput) (*deleteSecurityGroupOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, err := s.resolve(groupRef{in.GroupID, in.GroupName})
	if err != nil {
		return nil, err
	}
	if g.ID == s.net.groupID {
		return nil, model.Errorf(model.Conflict, "CannotDelete", `the specified group: "%s" name: "default" cannot be deleted by a user`, g.ID)
	}
	if s.inUse(g.ID) {
		return nil, model.Errorf(model.Conflict, "DependencyViolation", "resource %s has a dependent object", g.ID)
	}
	if _, err := s.groups.Delete(ctx, g.ID); err != nil {
		return nil, fmt.Errorf("delete security group %s: %w", g.ID, err)
	}
	for _, id := range append([]string{g.ID}, g.ruleIDs()...) {
		if err := s.putTags(ctx, id, nil); err != nil {
			return nil, err
		}
	}
	if err := s.announce(); err != nil {
		return nil, err
	}
	return &deleteSecurityGroupOutput{true, g.ID}, nil
}

// inUse says whether a task's interface or another group's rule has the group.
func (s *EC2) inUse(id string) bool {
	for _, n := range s.networkInterfaces() {
		if slices.Contains(n.SecurityGroups, id) {
			return true
		}
	}
	for _, g := range s.groups.List("") {
		if g.ID != id && slices.ContainsFunc(g.Rules, func(r rule) bool { return r.Peer.Group == id }) {
			return true
		}
	}
	return false
}

func (g group) ruleIDs() []string {
	ids := make([]string, len(g.Rules))
	for i, r := range g.Rules {
		ids[i] = r.ID
	}
	return ids
}
