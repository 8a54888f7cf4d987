// Package rig is what benchmarks share.
package rig
