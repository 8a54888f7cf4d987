package ecs

import (
	"strconv"
	"time"
)

// number returns an optional number as an int.
func number(v *int32) *int {
	if v == nil {
		return nil
	}
	return new(int(*v))
}

// decimal returns a number as text.
func decimal(n int) *string { return new(strconv.Itoa(n)) }

// seconds returns an optional number of seconds as a duration.
func seconds(v *int32) *time.Duration {
	if v == nil {
		return nil
	}
	return new(time.Duration(*v) * time.Second)
}

// enum returns nil for an enum that is not set.
func enum[E ~string](v E) *string {
	if v == "" {
		return nil
	}
	return new(string(v))
}

func deref[T any](p *T, fallback T) T {
	if p == nil {
		return fallback
	}
	return *p
}

// text is nil for "", as AWS leaves empty members out.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// moment is nil for the zero time.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
