// Package model holds the nouns that every part of Neargate shares, what makes
// them valid, their ARNs and the typed error. It has no behaviour of its own:
// no clock, goroutine, random source or I/O, and it imports nothing of ours.
//
// Values are plain data. A value that came out of a store is shared between
// readers and must not be written into: copy it, replace its slices, put it
// back.
package model
