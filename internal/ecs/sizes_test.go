package ecs

import "testing"

func TestReadSize(t *testing.T) {
	tests := []struct {
		cpu, memory string
		units, mib  int
		ok          bool
	}{
		{"256", "512", 256, 512, true},
		{".25 vCPU", "0.5GB", 256, 512, true},
		{"1 vcpu", "3 GB", 1024, 3072, true},
		{"16 vCPU", "120 GB", 16384, 122880, true},
		{"0.3 vCPU", "1 GB", 0, 0, false},
		{"-1", "512", 0, 0, false},
		{"256", "", 0, 0, false},
	}
	for _, tt := range tests {
		units, mib, err := fargateSize(tt.cpu, tt.memory)
		if (err == nil) != tt.ok || tt.ok && (units != tt.units || mib != tt.mib) {
			t.Errorf("%s, %s: got %d, %d, %v", tt.cpu, tt.memory, units, mib, err)
		}
	}
}
