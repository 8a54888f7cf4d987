package logs

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"neargate/internal/model"
)

// Group is a log group.
type Group struct {
	Name          string
	ARN           string // without ":*"
	CreatedAt     time.Time
	RetentionDays int // 0: for ever
	Class         string
	Tags          map[string]string
}

// Stream is a log stream. A new stream of an old name has another ID.
type Stream struct {
	Group, Name, ID string
	CreatedAt       time.Time
}

// maxName is the length of a group's or stream's name at most.
const maxName = 512

func validGroup(name string) bool {
	for i := range len(name) {
		c := name[i]
		word := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !word && strings.IndexByte("_./#-", c) < 0 {
			return false
		}
	}
	return name != "" && len(name) <= maxName && !strings.HasPrefix(name, "aws/")
}

func validStream(name string) bool {
	return name != "" && len(name) <= maxName && !strings.ContainsAny(name, ":*")
}

// retentionDays are the periods that CloudWatch Logs allows: API_PutRetentionPolicy.
func retentionDays() []int {
	return []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
}

// maxTags is the limit of tags per group.
const maxTags = 50

func invalid(format string, args ...any) error {
	return model.Errorf(model.Invalid, "InvalidParameterException", format, args...)
}

func noGroup() error {
	return model.Errorf(model.NotFound, "ResourceNotFoundException", "The specified log group does not exist.")
}

func noStream() error {
	return model.Errorf(model.NotFound, "ResourceNotFoundException", "The specified log stream does not exist.")
}

// CreateGroup creates a group from the name, class and tags of g. Codes:
// InvalidParameterException, ResourceAlreadyExistsException.
func (l *Logs) CreateGroup(ctx context.Context, g Group) error {
	if !validGroup(g.Name) {
		return invalid("1 validation error detected: Value '%s' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+", g.Name)
	}
	if len(g.Tags) > maxTags {
		return invalid("a log group can have at most %d tags", maxTags)
	}
	if g.Class == "" {
		g.Class = "STANDARD"
	}
	g.ARN, g.CreatedAt = l.cfg.Place.LogGroupARN(g.Name), l.now()
	_, err := l.groups.Update(ctx, g.Name, func(_ Group, exists bool) (Group, error) {
		if exists {
			return g, model.Errorf(model.Conflict, "ResourceAlreadyExistsException", "The specified log group already exists")
		}
		return g, nil
	})
	return err
}

// EnsureGroup creates the group if there is none, as awslogs-create-group asks.
func (l *Logs) EnsureGroup(ctx context.Context, name string) error {
	if _, ok := l.groups.Get(name); ok {
		return nil
	}
	err := l.CreateGroup(ctx, Group{Name: name})
	if model.KindOf(err) == model.Conflict {
		return nil // another task was faster
	}
	return err
}

// Group returns a group. Code: ResourceNotFoundException.
func (l *Logs) Group(name string) (Group, error) {
	g, ok := l.groups.Get(name)
	if !ok {
		return Group{}, noGroup()
	}
	return g, nil
}

// Groups returns the groups whose name begins with prefix, by name.
func (l *Logs) Groups(prefix string) []Group { return l.groups.List(prefix) }

// UpdateGroup changes a group. change must not write into the tags it is
// given. Code: ResourceNotFoundException, and what change returns.
func (l *Logs) UpdateGroup(ctx context.Context, name string, change func(*Group) error) error {
	_, err := l.groups.Update(ctx, name, func(cur Group, exists bool) (Group, error) {
		if !exists {
			return cur, noGroup()
		}
		return cur, change(&cur)
	})
	return err
}

// SetRetention sets after how many days events go; 0 keeps them. Codes:
// InvalidParameterException, ResourceNotFoundException.
func (l *Logs) SetRetention(ctx context.Context, name string, days int) error {
	if days != 0 && !slices.Contains(retentionDays(), days) {
		return invalid("1 validation error detected: Value '%d' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: %v", days, retentionDays())
	}
	return l.UpdateGroup(ctx, name, func(g *Group) error {
		g.RetentionDays = days
		return nil
	})
}

// Tag puts tags on a group. Codes: InvalidParameterException,
// ResourceNotFoundException.
func (l *Logs) Tag(ctx context.Context, name string, tags map[string]string) error {
	return l.UpdateGroup(ctx, name, func(g *Group) error {
		all := maps.Clone(g.Tags)
		if all == nil {
			all = map[string]string{}
		}
		maps.Copy(all, tags)
		if len(all) > maxTags {
			return invalid("a log group can have at most %d tags", maxTags)
		}
		g.Tags = all
		return nil
	})
}

// Untag takes tags from a group. Code: ResourceNotFoundException.
func (l *Logs) Untag(ctx context.Context, name string, keys []string) error {
	return l.UpdateGroup(ctx, name, func(g *Group) error {
		all := maps.Clone(g.Tags)
		maps.DeleteFunc(all, func(k, _ string) bool { return slices.Contains(keys, k) })
		g.Tags = all
		return nil
	})
}

// DeleteGroup removes a group with its streams. Code: ResourceNotFoundException.
func (l *Logs) DeleteGroup(ctx context.Context, name string) error {
	ok, err := l.groups.Delete(ctx, name)
	if err != nil {
		return fmt.Errorf("delete log group %s: %w", name, err)
	}
	if !ok {
		return noGroup()
	}
	for _, s := range l.streams.List(name + ":") {
		if err := l.dropStream(ctx, s); err != nil {
			return fmt.Errorf("delete log group %s: %w", name, err)
		}
	}
	return nil
}

// CreateStream creates a stream. Codes: InvalidParameterException,
// ResourceNotFoundException, ResourceAlreadyExistsException.
func (l *Logs) CreateStream(ctx context.Context, group, name string) error {
	if _, err := l.Group(group); err != nil {
		return err
	}
	if !validStream(name) {
		return invalid("1 validation error detected: Value '%s' at 'logStreamName' failed to satisfy constraint: Member must satisfy regular expression pattern: [^:*]*", name)
	}
	_, err := l.streams.Update(ctx, group+":"+name, func(_ Stream, exists bool) (Stream, error) {
		if exists {
			return Stream{}, model.Errorf(model.Conflict, "ResourceAlreadyExistsException", "The specified log stream already exists")
		}
		return Stream{Group: group, Name: name, ID: rand.Text(), CreatedAt: l.now()}, nil
	})
	return err
}

// stream returns a stream's record. Code: ResourceNotFoundException.
func (l *Logs) stream(group, name string) (Stream, error) {
	if _, err := l.Group(group); err != nil {
		return Stream{}, err
	}
	s, ok := l.streams.Get(group + ":" + name)
	if !ok {
		return Stream{}, noStream()
	}
	return s, nil
}

// DeleteStream removes a stream with its events. Code: ResourceNotFoundException.
func (l *Logs) DeleteStream(ctx context.Context, group, name string) error {
	s, err := l.stream(group, name)
	if err != nil {
		return err
	}
	return l.dropStream(ctx, s)
}

// dropStream removes the record first: files without one go at the next start.
func (l *Logs) dropStream(ctx context.Context, s Stream) error {
	if _, err := l.streams.Delete(ctx, s.Group+":"+s.Name); err != nil {
		return err
	}
	l.mu.Lock()
	j := l.opened[s.ID]
	delete(l.opened, s.ID)
	delete(l.sizes, s.ID)
	l.mu.Unlock()
	if j != nil {
		j.end()
	}
	return os.RemoveAll(filepath.Join(l.cfg.Dir, s.ID))
}
