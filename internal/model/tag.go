package model

import "slices"

// Tag is an AWS resource tag. Keys are unique within a resource.
type Tag struct {
	Key, Value string
}

// MergeTags returns tags with those of add: a key that is there gets the new
// value, new keys follow in their order.
func MergeTags(tags, add []Tag) []Tag {
	merged := slices.Clone(tags)
	for _, t := range add {
		if i := slices.IndexFunc(merged, func(old Tag) bool { return old.Key == t.Key }); i >= 0 {
			merged[i].Value = t.Value
			continue
		}
		merged = append(merged, t)
	}
	return merged
}

// RemoveTags returns tags without those of keys.
func RemoveTags(tags []Tag, keys []string) []Tag {
	return slices.DeleteFunc(slices.Clone(tags), func(t Tag) bool { return slices.Contains(keys, t.Key) })
}
